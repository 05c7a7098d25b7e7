using System.Runtime.CompilerServices;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Workflows;

public class RenamedStageTests
{
    [FormerlyKnownAs("tick")]
    private sealed class BetterTicks(Probe probe) : BatchFeaturePipeline<Tick>
    {
        public override string Name => "better-tick";

        public override async IAsyncEnumerable<Tick> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
        {
            await probe.EnterAsync("better-tick", window, ct);
            for (var at = window.From; at < window.To; at = at.AddHours(6))
                yield return new("a", at, at.Hour);
        }
    }

    [FormerlyKnownAs("tick")]
    private sealed class OtherTicks : BatchFeaturePipeline<TickOutcome>
    {
        public override IAsyncEnumerable<TickOutcome> ComputeAsync(Window window, CancellationToken ct) => AsyncEnumerable.Empty<TickOutcome>();
    }

    private static void Before(AiWorkflowsBuilder ai) => ai.Workflow("w", w => w
        .Window(TimeSpan.FromDays(1), Define.Origin).Until(Define.Day(4)).Stage<TickPipeline>().Stage<DoublePipeline>());

    private static void After(AiWorkflowsBuilder ai) => ai.Workflow("w", w => w
        .Window(TimeSpan.FromDays(1), Define.Origin).Until(Define.Day(4)).Stage<BetterTicks>().Stage<DoublePipeline>());

    [Fact]
    public async Task A_renamed_stage_owes_nothing_that_it_has_covered_under_its_former_name()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using (var host = await EngineHost.StartAsync(file, Before))
            (await host.FollowAsync()).ShouldAllBe(r => r.State == States.Succeeded);
        await using var renamed = await EngineHost.StartAsync(file, After, loop: false);
        (await renamed.RequestAsync()).Outcome.ShouldBe(RequestOutcome.NothingOwed);
        renamed.Probe.Executions.ShouldBeEmpty();
        (await TextsAsync(file, "SELECT DISTINCT pipeline FROM workflows_watermarks ORDER BY 1")).ShouldBe(["better-tick", "double"]);
        (await TextsAsync(file, "SELECT DISTINCT pipeline FROM workflows_coverage ORDER BY 1")).ShouldBe(["better-tick", "double"]);
    }

    [Fact]
    public async Task Steps_that_were_planned_under_the_former_name_are_executed_under_the_present_one()
    {
        await using var file = await SqliteFile.MigratedAsync();
        long run;
        await using (var host = await EngineHost.StartAsync(file, Before, loop: false))
        {
            run = (await host.RequestAsync()).RunId!.Value;
            host.Probe.Before["tick"] = (_, ct) => Task.Delay(Timeout.Infinite, ct);
            await host.Engine.AdmitRequestedAsync(default);
        }
        await using var renamed = await EngineHost.StartAsync(file, After);
        (await renamed.EndAsync(run)).Run.State.ShouldBe(States.Succeeded);
        (await renamed.StepsAsync(run)).Keys.Order().ShouldBe(["better-tick", "double"]);
        renamed.Probe.CountOf("better-tick").ShouldBe(1);
        renamed.Probe.CountOf("double").ShouldBe(1);
    }

    [Fact]
    public void A_former_name_that_is_in_use_or_belongs_to_two_is_a_mistake()
    {
        var errors = new List<string>();
        Renames.Check([("better-tick", typeof(BetterTicks)), ("other", typeof(OtherTicks)), ("tick", typeof(TickPipeline))], errors);
        errors.ShouldBe(
        [
            "BetterTicks is marked [FormerlyKnownAs(\"tick\")], which is the present name of TickPipeline; remove one of the two.",
            "OtherTicks is marked [FormerlyKnownAs(\"tick\")], which is the present name of TickPipeline; remove one of the two.",
            "BetterTicks and OtherTicks are marked [FormerlyKnownAs(\"tick\")]; only one of them can have been.",
        ]);
    }

    private static async Task<IReadOnlyList<string>> TextsAsync(SqliteFile file, string sql)
    {
        var texts = new List<string>();
        await using var result = await file.Database.QueryAsync(sql, default);
        await foreach (var row in result.RowsAsync(default))
            texts.Add((string)row[0]!);
        return texts;
    }
}
