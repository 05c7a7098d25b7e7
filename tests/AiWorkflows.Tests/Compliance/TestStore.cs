using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>The stores of one engine over an empty, migrated database. An engine passes the suites by providing this.</summary>
internal abstract class TestStore : IAsyncDisposable
{
    public abstract StoreDatabase Database { get; }

    public abstract IFeatureStore Features { get; }

    public abstract ILedger Ledger { get; }

    public abstract IModelRegistry Registry { get; }

    public abstract IPredictionLog Predictions { get; }

    /// <summary>The same database as another host sees it, over connections of its own.</summary>
    public abstract TestStore Another();

    /// <summary>The ledger over another way to the same database.</summary>
    public abstract ILedger LedgerOver(StoreDatabase database);

    public abstract ValueTask DisposeAsync();

    /// <summary>Moves every lease into the past, as if its host had died long ago.</summary>
    public Task LetLeasesRunOutAsync() => Database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {workflows.stage_runs} SET lease_until = {ago:86400000000} WHERE state = 'running'"), default);

    public async Task<long> CountAsync(string template, object? parameters = null) => await Database.ReadFirstAsync<long>(template, parameters, default);

    /// <summary>Requests a run with these steps, each after the one before it, and brings it to running.</summary>
    public async Task<long> StartRunAsync(Window window, params string[] stages)
    {
        var (run, _) = await Ledger.RequestAsync(new("w", window, "test", "manual"), default);
        (await Ledger.AdmitAsync(run, Plans.Chain(stages), "code", default)).ShouldBe(AdmitResult.Planned);
        return run;
    }

    /// <summary>Advances the run and claims its next step.</summary>
    public async Task<AttemptRef> ClaimNextAsync(long run, string host = "host")
    {
        var step = (await Ledger.AdvanceAsync(run, "engine", 100, default)).Dispatched.ShouldHaveSingleItem();
        return await ClaimAsync(step.StageRunId, host) ?? throw new InvalidOperationException($"{step.Step} could not be claimed");
    }

    public async Task<AttemptRef?> ClaimAsync(long stageRunId, string host = "host")
    {
        var claim = await Ledger.ClaimAsync(stageRunId, new(Guid.NewGuid(), host, "job", "code", TimeSpan.FromMinutes(1)), default);
        return claim.Lease is { } lease ? new(lease.RunId, lease.StageRunId, lease.Attempt, lease.Stage) : null;
    }

    /// <summary>An attempt of a stage of its own run: for tests that only want to write.</summary>
    public async Task<AttemptRef> AttemptAsync(Window window, string stage = "readings")
    {
        await Ledger.RegisterWorkflowsAsync([("w", 1000, OverlapPolicy.Queue)], default);
        return await ClaimNextAsync(await StartRunAsync(window, stage));
    }
}

internal static class Plans
{
    public static RunPlan Chain(params string[] stages) => new(
        [.. stages.Select((s, i) => Step(s, i))], [.. stages.Skip(1).Select((s, i) => (s, stages[i]))]);

    public static PlannedStep Step(string stage, int ordinal, string? skipReason = null) => new(stage, stage, StepKinds.Feature, ordinal, "features", 3, null, skipReason);
}
