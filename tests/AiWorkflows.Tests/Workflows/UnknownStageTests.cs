using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Workflows;

/// <summary>Hosts of several versions on one database, as during an upgrade.</summary>
public class UnknownStageTests
{
    private static readonly Action<AiWorkflowsBuilder> OnlyTicks = ai => ai.Workflow("w", w => w.Window(TimeSpan.FromDays(1), Define.Origin).Stage<TickPipeline>());

    [Fact]
    public async Task A_step_that_a_host_does_not_know_is_left_to_others()
    {
        await using var file = await SqliteFile.MigratedAsync();
        var run = await PlanAsync(file);
        await using var older = await EngineHost.StartAsync(file, OnlyTicks, options: Sharing(TimeSpan.FromHours(1)), loop: false);
        var unknown = (await older.StepsAsync(run))["outcome"];

        var outcome = await older.Engine.ExecuteStepAsync(unknown.StageRunId, "job", default);
        outcome.Kind.ShouldBe(StepOutcomeKind.Retry);
        outcome.Message.ShouldNotBeNull().ShouldContain("'outcome'");
        await older.Engine.SweepAsync(default);
        (await older.StepsAsync(run))["outcome"].State.ShouldBe(States.Pending);
    }

    [Fact]
    public async Task A_step_that_no_host_has_known_for_a_while_fails_and_says_why()
    {
        await using var file = await SqliteFile.MigratedAsync();
        var run = await PlanAsync(file);
        await using var newer = await EngineHost.StartAsync(file, OnlyTicks, options: Sharing(TimeSpan.Zero), loop: false);

        await newer.Engine.SweepAsync(default);

        var ended = (await newer.Ledger.FindRunAsync(run, default))!;
        (await newer.StepsAsync(run))["outcome"].Error.ShouldNotBeNull().ShouldContain("Stage 'outcome' of w is not defined in any version of the code that is running");
        ended.State.ShouldBeOneOf(States.Running, States.Failed);
    }

    [Fact]
    public async Task As_long_as_some_host_that_is_alive_knows_a_stage_nothing_of_it_fails()
    {
        await using var file = await SqliteFile.MigratedAsync();
        var run = await PlanAsync(file);
        await using var newer = await EngineHost.StartAsync(file, OnlyTicks, options: Sharing(TimeSpan.Zero), loop: false);
        var older = new HostRecord("older", "e", 1, "serve", null, "{\"features\":1}", "old", default, default, """["w/outcome","w/double","w/train","w/score","w/tick"]""");
        await newer.Ledger.HostSeenAsync(older, default);

        await newer.Engine.SweepAsync(default);
        (await newer.StepsAsync(run))["outcome"].State.ShouldBe(States.Pending);

        await newer.Ledger.HostGoneAsync("older", default);
        await newer.Engine.SweepAsync(default);
        (await newer.StepsAsync(run))["outcome"].State.ShouldBe(States.Failed);
    }

    [Fact]
    public async Task A_request_for_a_workflow_that_only_another_host_knows_waits_for_it()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var newer = await EngineHost.StartAsync(file, OnlyTicks, options: Sharing(TimeSpan.Zero), loop: false);
        var (run, _) = await newer.Ledger.RequestAsync(new("other", new(Define.Day(1), Define.Day(2)), "me", "manual"), default);
        await newer.Ledger.HostSeenAsync(new("older", "e", 1, "serve", null, "{}", "old", default, default, """["other/x"]"""), default);

        await newer.Engine.SweepAsync(default);
        (await newer.Ledger.FindRunAsync(run, default))!.State.ShouldBe(States.Requested);

        await newer.Ledger.HostGoneAsync("older", default);
        await newer.Engine.SweepAsync(default);
        var ended = (await newer.Ledger.FindRunAsync(run, default))!;
        (ended.State, ended.Reason!.Contains("Unknown workflow 'other'", StringComparison.Ordinal)).ShouldBe((States.Cancelled, true));
    }

    [Fact]
    public void A_queue_that_no_living_host_serves_is_told_from_one_that_is_only_busy()
    {
        var now = new DateTime(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);
        HostRecord Host(string name, string queues, DateTime seen) => new(name, "e", 1, "serve", null, queues, "code", default, seen);
        var hosts = LiveHosts.Of([Host("a", """{"features":2,"training":0}""", now), Host("dead", """{"training":1}""", now.AddMinutes(-1))], now);
        hosts.Count.ShouldBe(1);

        var unserved = hosts.Unserved([new("features", 5, TimeSpan.FromMinutes(1)), new("training", 1, TimeSpan.FromSeconds(90))]).ShouldHaveSingleItem();
        unserved.Queue.ShouldBe("training");
        LiveHosts.Describe(unserved).ShouldBe("1 step waits in queue 'training' for 90 s, and no host that is running takes any from it. Start a host with AiWorkflows:Workers:Training above 0.");
        // Where no host is running at all, that is what has to be said, and is said elsewhere.
        LiveHosts.Of([], now).Unserved([new("training", 1, TimeSpan.Zero)]).ShouldBeEmpty();
    }

    /// <summary>A run of all stages that a host has planned and left behind before any has begun.</summary>
    private static async Task<long> PlanAsync(SqliteFile file)
    {
        await using var host = await EngineHost.StartAsync(file, options: Sharing(TimeSpan.FromHours(1)), loop: false);
        var (run, _) = await host.Ledger.RequestAsync(new("w", new(Define.Day(5), Define.Day(6)), "me", "manual"), default);
        var plan = new RunPlan([Step("tick", 0), Step("outcome", 1)], []);
        (await host.Ledger.AdmitAsync(run, plan, "1", default)).ShouldBe(AdmitResult.Planned);
        return run;

        static PlannedStep Step(string name, int ordinal) => new(name, name, StepKinds.Feature, ordinal, "features", 3, null, null);
    }

    private static RunEngineOptions Sharing(TimeSpan unknownFor) => new()
    {
        Host = "test", CodeVersion = "1", DatasetDirectory = Path.GetTempPath(), OnlyHost = false, UnknownFor = unknownFor, UnknownRetry = TimeSpan.FromMilliseconds(100), Poll = TimeSpan.FromMilliseconds(100),
    };
}
