using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What the suites about the ledger begin with.</summary>
public abstract class LedgerSuite
{
    private protected abstract Task<TestStore> OpenAsync();

    private protected async Task<TestStore> OpenWithWorkflowAsync(int maxRunning = 1, OverlapPolicy overlap = OverlapPolicy.Queue)
    {
        var store = await OpenAsync();
        await store.Ledger.RegisterWorkflowsAsync([("w", maxRunning, overlap)], default);
        return store;
    }

    private protected static RunRequest Request(string? dedupKey = null) => new("w", Readings.Day, "ada", "manual", DedupKey: dedupKey);
}
