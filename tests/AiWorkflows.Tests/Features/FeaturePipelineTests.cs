using System.Runtime.CompilerServices;
using System.Text.Json;
using AiWorkflows.Features;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Features;

public sealed class FeaturePipelineTests
{
    [FeatureGroup("readings")]
    public sealed record Reading([EntityKey] string Sensor, [EventTime] DateTime At, float Value);

    [FeatureGroup("doubled")]
    public sealed record Doubled([EntityKey] string Sensor, [EventTime] DateTime At, float Value);

    /// <summary>What the pipeline will give: in any order, anything.</summary>
    public sealed class Source
    {
        public List<Reading> Rows { get; set; } = [];
    }

    public sealed class ReadingPipeline(Source source) : BatchFeaturePipeline<Reading>
    {
        public override async IAsyncEnumerable<Reading> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
        {
            await Task.Yield();
            foreach (var row in source.Rows)
                yield return row;
        }

        protected internal override void Expect(Expectations<Reading> e) => e
            .InRange(r => r.Value, -50, 50, OnViolation.Quarantine)
            .Present(r => r.Value, OnViolation.Warn)
            .That(r => r.Sensor != "broken");
    }

    public sealed class DoubledPipeline(IFeatureReader<Reading> readings) : BatchFeaturePipeline<Doubled>
    {
        public override async IAsyncEnumerable<Doubled> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
        {
            await foreach (var r in readings.ReadAsync(window, ct))
                yield return new(r.Sensor, r.At, r.Value * 2);
        }
    }

    private static readonly DateTime Day = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly Window Window = new(Day, Day.AddDays(2));

    private readonly Source _source = new();
    private readonly IServiceProvider _services;
    private readonly InMemoryFeatureStore _store = new(TimeProvider.System);
    private readonly FeaturePipelineDefinition _pipeline;

    public FeaturePipelineTests()
    {
        _services = new ServiceCollection().AddSingleton(_source).BuildServiceProvider();
        _pipeline = MemoryStoreExtensions.Pipeline<ReadingPipeline>(_services);
    }

    [Fact]
    public async Task A_first_run_writes_all_rows_and_a_second_one_writes_nothing()
    {
        _source.Rows = [R("b", 30), R("a", 1), R("a", 2)];
        var first = await RunAsync();

        _source.Rows.Reverse();
        var second = await RunAsync();

        (first.Rows, first.NewRows, first.Tombstones, first.RowsComputed).ShouldBe((3, 3, 0, 3));
        first.Buckets.ShouldBe([Day, Day.AddDays(1)]);
        (first.MinEventTime, first.MaxEventTime).ShouldBe((Day.AddHours(1), Day.AddHours(30)));
        (second.Rows, second.NewRows, second.Tombstones, second.RowsComputed).ShouldBe((0, 0, 0, 3));
        second.Buckets.ShouldBeEmpty();
        (await CurrentAsync()).ShouldBe([R("a", 1), R("a", 2), R("b", 30)]);
    }

    [Fact]
    public async Task A_re_run_writes_new_and_changed_rows_and_a_tombstone_for_what_is_gone_and_an_earlier_read_stays_as_it_was()
    {
        _source.Rows = [R("a", 1), R("a", 2), R("a", 3), R("b", 30)];
        await RunAsync();
        var before = _store.CurrentSeq;

        _source.Rows = [R("a", 1), R("a", 2, 7), R("c", 5)];
        var seal = await RunAsync();

        (seal.Rows, seal.NewRows, seal.Tombstones).ShouldBe((2, -1, 2));
        seal.Buckets.ShouldBe([Day, Day.AddDays(1)]);
        (await CurrentAsync()).ShouldBe([R("a", 1), R("a", 2, 7), R("c", 5)]);
        (await _store.ReadAsync<Reading>(Window, before)).ShouldBe([R("a", 1), R("a", 2), R("a", 3), R("b", 30)]);
    }

    [Fact]
    public async Task A_row_that_vanished_and_came_back_is_there_again()
    {
        foreach (var rows in new Reading[][] { [R("a", 1)], [], [R("a", 1)] })
        {
            _source.Rows = [.. rows];
            await RunAsync();
            (await CurrentAsync()).ShouldBe(rows);
        }
    }

    [Fact]
    public async Task Random_re_runs_always_leave_exactly_what_was_computed_last()
    {
        var random = new Random(7);
        for (var run = 0; run < 40; run++)
        {
            _source.Rows = [.. Enumerable.Range(0, random.Next(0, 60)).Select(_ => R($"{(char)('a' + random.Next(4))}", random.Next(48), random.Next(3))).DistinctBy(r => (r.Sensor, r.At))];
            var before = await CurrentAsync();
            var seal = await RunAsync();

            var now = _source.Rows.OrderBy(r => r.At).ThenBy(r => r.Sensor, StringComparer.Ordinal).ToArray();
            (await CurrentAsync()).ShouldBe(now);
            seal.Rows.ShouldBe(now.Except(before).Count());
            seal.Tombstones.ShouldBe(before.ExceptBy(now.Select(r => (r.Sensor, r.At)), r => (r.Sensor, r.At)).Count());
            seal.NewRows.ShouldBe(now.Length - before.Count);
        }
    }

    [Fact]
    public async Task What_was_written_but_not_published_is_never_read()
    {
        _source.Rows = [R("a", 1)];
        await RunAsync(publish: false);

        (await CurrentAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_violation_quarantines_warns_or_fails_as_declared()
    {
        _source.Rows = [R("a", 1, 51), R("a", 2, float.NaN), R("a", 3, 50)];
        var seal = await RunAsync();

        (await CurrentAsync()).Select(r => r.At.Hour).ShouldBe([2, 3]);
        (seal.RowsComputed, seal.RowsQuarantined).ShouldBe((3, 1));
        _store.Quarantined(_pipeline.Writes).ShouldBe([new QuarantinedRow("""{"at":"2001-01-01T01:00:00Z","sensor":"a","value":51}""", "value in [-50, 50]", "found 51")]);
        using var expectations = JsonDocument.Parse(seal.ExpectationsJson);
        expectations.RootElement.EnumerateArray().Select(r => (r.GetProperty("outcome").GetString(), r.GetProperty("violations").GetInt64())).ShouldBe([("quarantine", 1), ("warn", 1), ("fail", 0)]);
    }

    [Fact]
    public async Task A_violation_with_outcome_fail_publishes_nothing_and_names_rule_count_and_row()
    {
        _source.Rows = [R("a", 1), R("broken", 2), R("broken", 3)];

        var error = await Should.ThrowAsync<StageFailedException>(() => RunAsync());

        error.Message.ShouldContain("2 of 3 rows violate");
        error.Message.ShouldContain("row [\"broken\"] at 2001-01-01T02:00:00Z");
    }

    [Fact]
    public async Task A_duplicate_key_and_event_time_fails_the_commit()
    {
        _source.Rows = [R("a", 1), R("b", 1), R("a", 1, 5)];

        var error = await Should.ThrowAsync<StageFailedException>(() => RunAsync());

        error.Message.ShouldContain("row [\"a\"] at 2001-01-01T01:00:00Z was given twice");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(48)]
    public async Task A_row_outside_the_window_fails_naming_it(int hour)
    {
        _source.Rows = [R("a", hour)];

        var error = await Should.ThrowAsync<StageFailedException>(() => RunAsync());

        error.Message.ShouldContain("row [\"a\"]");
        error.Message.ShouldContain("outside the window [2001-01-01, 2001-01-03)");
    }

    [Fact]
    public async Task A_pipeline_that_reads_a_group_reads_as_of_its_snapshot_and_the_commit_records_it()
    {
        _source.Rows = [R("a", 1), R("b", 2, 2)];
        await RunAsync();

        var seal = await _store.RunAsync(MemoryStoreExtensions.Pipeline<DoubledPipeline>(), Window);

        seal.Inputs.ShouldBe([new FeatureInput("readings", 1, 1, Window)]);
        (await _store.ReadAsync<Doubled>(Window)).ShouldBe([new("a", Day.AddHours(1), 2), new("b", Day.AddHours(2), 4)]);
    }

    [Fact]
    public async Task Rows_are_read_back_in_batches_without_loss()
    {
        _source.Rows = [.. Enumerable.Range(0, 20_000).Select(i => new Reading($"s{i % 7}", Day.AddSeconds(i), i % 50))];
        await RunAsync();

        (await CurrentAsync()).ShouldBe(_source.Rows);
    }

    private Task<CommitSeal> RunAsync(bool publish = true) => _store.RunAsync(_pipeline, Window, _services, publish);

    private Task<List<Reading>> CurrentAsync() => _store.ReadAsync<Reading>(Window);

    private static Reading R(string sensor, int hour, float value = 1) => new(sensor, Day.AddHours(hour), value);
}
