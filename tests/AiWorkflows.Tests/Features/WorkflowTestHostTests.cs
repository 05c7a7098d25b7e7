namespace AiWorkflows.Tests.Features;

public sealed class WorkflowTestHostTests : IAsyncDisposable
{
    [FeatureGroup("landings")] public sealed record Landing([EntityKey] long Id, [EventTime] DateTime At, string Airport, float Delay);
    [FeatureGroup("planned")] public sealed record Planned([EntityKey] long Id, [EventTime] DateTime At, string Airport);
    [FeatureGroup("airport_delays")] public sealed record AirportDelays([EntityKey] string Airport, [EventTime] DateTime At, int Landed, float Delay);

    public sealed class DelaysPipeline : AggregateFeaturePipeline<Landing, AirportDelays>
    {
        protected internal override void Define(AggregationBuilder<Landing, AirportDelays> events) => events
            .By(l => l.Airport).Every(TimeSpan.FromMinutes(15))
            .Select(g => new AirportDelays(g.Key, g.End, g.Last(TimeSpan.FromHours(1)).Count(), g.Last(TimeSpan.FromHours(1)).Mean(l => l.Delay)));

        protected internal override void Expect(Expectations<AirportDelays> e) => e.InRange(r => r.Delay, -60, 300, OnViolation.Quarantine);
    }

    public sealed record PlannedExample(float Delay, int Landed);

    public sealed class PlannedView : FeatureView<Planned, PlannedExample>
    {
        protected internal override void Define(FeatureViewBuilder<Planned, PlannedExample> view)
        {
            var delays = view.Join<AirportDelays>((p, d) => p.Airport == d.Airport, TimeSpan.FromHours(6));
            view.Label<Landing, bool>((p, l) => p.Id == l.Id, TimeSpan.FromHours(12), l => l.Delay > 15);
            view.Select(p => new PlannedExample(delays.Row.Delay, delays.Exists ? delays.Row.Landed : 0));
        }
    }

    private readonly WorkflowTestHost _host = new(ai => ai.Add<DelaysPipeline>().Add<PlannedView>());

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static DateTime T(int hour, int minute = 0) => new(2001, 1, 1, hour, minute, 0, DateTimeKind.Utc);

    [Fact]
    public async Task A_user_tests_a_pipeline_without_a_database()
    {
        _host.Given(new Landing(1, T(9, 10), "LAX", 30), new Landing(2, T(9, 50), "LAX", 0), new Landing(3, T(10), "LAX", 600));

        await _host.RunAsync<DelaysPipeline>(new Window(T(0), T(12)));

        _host.Rows<AirportDelays>().Single(r => r.At == T(10)).Landed.ShouldBe(2);
        _host.Quarantined<AirportDelays>().ShouldContain(q => q.Row.At == T(11) && q.Reason == "found 600" && q.Rule == "delay in [-60, 300]");
    }

    [Fact]
    public async Task A_user_tests_a_view()
    {
        _host.Given(new Landing(1, T(9, 10), "LAX", 30), new Landing(9, T(14), "LAX", 20));
        _host.Given(new Planned(9, T(9, 20), "LAX"), new Planned(10, T(9, 20), "JFK"));
        await _host.RunAsync<DelaysPipeline>(new Window(T(0), T(23)));

        var examples = await _host.ExamplesAsync<PlannedExample>(new Window(T(0), T(23)));

        examples.ShouldBe([
            new JoinedExample<PlannedExample>(new(30, 1), T(9, 20), "[9]", 1, null),
            new JoinedExample<PlannedExample>(new(float.NaN, 0), T(9, 20), "[10]", null, null)]);
    }

    /// <summary>What a slice sees: its own rows, and nothing of the others.</summary>
    [FeatureGroup("running_totals")] public sealed record RunningTotal([EntityKey] string Airport, [EventTime] DateTime At, int SoFar);

    public sealed class RunningTotalPipeline(IFeatureReader<Landing> landings) : BatchFeaturePipeline<RunningTotal>
    {
        private int _soFar;

        public override TimeSpan? SliceUnit => TimeSpan.FromHours(1);

        public override async IAsyncEnumerable<RunningTotal> ComputeAsync(Window window, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
        {
            await foreach (var landing in landings.ReadAsync(window, ct))
                yield return new(landing.Airport, landing.At, ++_soFar);
        }
    }

    [Fact]
    public async Task A_pipeline_whose_rows_depend_on_others_outside_of_its_slice_shows_it_in_a_test()
    {
        Landing[] landings = [.. Enumerable.Range(0, 24).Select(h => new Landing(h, T(h, 10), "LAX", h))];
        await using var whole = new WorkflowTestHost(ai => ai.Add<RunningTotalPipeline>());
        await using var cut = new WorkflowTestHost(ai => ai.Workflow("totals", w => w.Window(TimeSpan.FromDays(1), T(0)).Stage<RunningTotalPipeline>(partitions: 3)));
        foreach (var host in new[] { whole, cut })
        {
            host.Given(landings);
            await host.RunAsync<RunningTotalPipeline>(new Window(T(0), T(0).AddDays(1)));
        }

        whole.Rows<RunningTotal>().Select(r => r.SoFar).ShouldBe(Enumerable.Range(1, 24));
        // Three slices of eight hours, each from its own beginning on.
        cut.Rows<RunningTotal>().Select(r => r.SoFar).ShouldBe([.. Enumerable.Range(1, 8), .. Enumerable.Range(1, 8), .. Enumerable.Range(1, 8)]);
    }

    [Fact]
    public async Task A_partitioned_stage_gives_the_rows_of_a_whole_one_also_when_it_is_run_again()
    {
        await using var cut = new WorkflowTestHost(ai => ai.Workflow("delays", w => w.Window(TimeSpan.FromDays(1), T(0)).Stage<DelaysPipeline>(partitions: 5)));
        foreach (var host in new[] { _host, cut })
            host.Given(Enumerable.Range(0, 500).Select(i => new Landing(i, T(0).AddMinutes(i * 2.8), i % 3 == 0 ? "LAX" : "JFK", i % 90)));
        for (var again = 0; again < 2; again++)
        {
            foreach (var host in new[] { _host, cut })
                await host.RunAsync<DelaysPipeline>(new Window(T(0), T(0).AddDays(1)));
            cut.Rows<AirportDelays>().ShouldBe(_host.Rows<AirportDelays>());
            foreach (var host in new[] { _host, cut })
                host.Given(new Landing(7, T(0).AddMinutes(7 * 2.8), "JFK", 200), new Landing(400, T(0).AddMinutes(400 * 2.8), "LAX", -20));
        }
        cut.Rows<AirportDelays>().Count.ShouldBeGreaterThan(100);
    }

    [Fact]
    public async Task A_row_that_is_given_again_replaces_the_earlier_one()
    {
        _host.Given(new Landing(1, T(9, 10), "LAX", 30));
        _host.Given(new Landing(1, T(9, 10), "LAX", 40));

        _host.Rows<Landing>().ShouldBe([new Landing(1, T(9, 10), "LAX", 40)]);
        Should.Throw<StageFailedException>(() => _host.Given(new Landing(2, T(9), "LAX", 1), new Landing(2, T(9), "LAX", 2))).Message.ShouldContain("was given twice");
        (await Should.ThrowAsync<InvalidRequestException>(() => _host.RunAsync<WorkflowTestHostTests>(new(T(0), T(1))))).Message.ShouldContain("call ai.Add<WorkflowTestHostTests>()");
    }

    [Fact]
    public void Wrong_definitions_are_listed_at_its_construction() =>
        Should.Throw<InvalidDefinitionsException>(() => new WorkflowTestHost(ai => ai.Add<DefinitionMistakesTests.Unbound>().Add<DefinitionMistakesTests.BadSpan>())).Errors.ShouldBe([
            "BadSpan: Last(01:30:00) is no multiple of Every(01:00:00); change one of them.", "Unbound, join 1 (Pair): key Pair.B is not bound; add '&& … == r.B'."]);
}
