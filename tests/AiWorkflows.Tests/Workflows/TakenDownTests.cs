using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Workflows;

public class TakenDownTests
{
    [Fact]
    public async Task A_run_that_took_down_one_host_after_another_is_resumed_by_people_only()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, loop: false);
        var run = (await host.RequestAsync()).RunId!.Value;
        await host.Ledger.AdmitAsync(run, new([new("tick", "tick", StepKinds.Feature, 0, "features", 3, null, null)], []), "1", default);
        for (var loss = 1; loss <= 10; loss++)
        {
            var step = (await host.Ledger.AdvanceAsync(run, "lost", 9, default)).Dispatched.ShouldHaveSingleItem();
            (await host.Ledger.ClaimAsync(step.StageRunId, new(Guid.NewGuid(), $"host {loss}", null, "1", TimeSpan.FromMinutes(1)), default)).Lease.ShouldNotBeNull();
            (await host.Ledger.ExpireAsync(everything: true, 10, default)).ShouldBe(1);
        }
        (await host.Ledger.AdvanceAsync(run, "lost", 9, default)).EndState.ShouldBe(States.Failed);

        var tick = await host.Engine.TickAsync("w", default);
        (tick.Outcome, tick.RunId).ShouldBe((RequestOutcome.NothingOwed, null));
        tick.Message.ShouldEndWith($"only a person resumes it, with 'runs resume {run}'.");
        (await host.RequestAsync()).Outcome.ShouldBe(RequestOutcome.Resumed);
    }
}
