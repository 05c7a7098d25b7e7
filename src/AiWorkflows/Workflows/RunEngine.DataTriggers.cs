using AiWorkflows.Features;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Workflows;

/// <summary>Commits of the groups that a workflow reads, which it has not taken into account yet.</summary>
/// <param name="Seq">The latest of them.</param>
/// <param name="SinceLatest">How long ago it was published, by the database's clock.</param>
internal sealed record NewData(long Seq, TimeSpan SinceFirst, TimeSpan SinceLatest);

internal partial interface ILedger
{
    /// <summary>What has been published in these groups since the workflow looked last; null where there is nothing, or the workflow is paused.</summary>
    Task<NewData?> NewDataAsync(string workflow, IReadOnlyList<string> groups, CancellationToken ct);

    /// <summary>Notes what the workflow has taken into account, and inserts the request, in one transaction; nothing if another host came first or the workflow is paused.</summary>
    Task<(bool Taken, long? RunId)> TakeDataAsync(string workflow, long seq, RunRequest? request, CancellationToken ct);
}

internal sealed partial class RunEngine
{
    /// <summary>However often there is something new, after so many times the debounce a workflow starts.</summary>
    private const int LongestDebounces = 10;

    /// <summary>Whether this host starts workflows that wait for new data.</summary>
    public bool TriggersOnData { get; set; }

    /// <summary>Requests what is owed by workflows that others have published something new for.</summary>
    /// <returns>How long until the next of them is due; null where nothing is waited for.</returns>
    public async Task<TimeSpan?> TriggerOnDataAsync(CancellationToken ct)
    {
        TimeSpan? next = null;
        foreach (var workflow in _catalog.Workflows)
        {
            if (workflow.OnNewData is not { } debounce || await Ledger.NewDataAsync(workflow.Name, [.. GroupsOfOthers(workflow).Select(g => g.Name)], ct) is not { } data)
                continue;
            var wait = Shorter(debounce - data.SinceLatest, debounce * LongestDebounces - data.SinceFirst);
            if (wait > TimeSpan.Zero)
                next = next is { } known ? Shorter(known, wait) : wait;
            else
                await TriggerAsync(workflow, data, ct);
        }
        return next;
    }

    /// <summary>Groups that the workflow reads and does not write itself: what it publishes never starts it again.</summary>
    public static IReadOnlyList<GroupSchema> GroupsOfOthers(WorkflowDefinition workflow)
    {
        var own = workflow.Stages.Where(s => s.Feature is not null).Select(s => s.Feature!.Writes.Row).ToHashSet();
        return [.. workflow.Stages.SelectMany(s => s.Feature?.Reads ?? s.Training?.View.Reads ?? s.Inference?.View.Reads ?? []).Where(g => !own.Contains(g.Row)).DistinctBy(g => g.Row)];
    }

    private async Task TriggerAsync(WorkflowDefinition workflow, NewData data, CancellationToken ct)
    {
        var (result, row) = await FindOwedAsync(workflow, new(workflow.Name, null, "data", "data"), ct);
        // What runs may have read before the new commits; it is asked again when that has ended.
        if (result.Outcome == RequestOutcome.AlreadyOpen)
            return;
        var (taken, runId) = await Ledger.TakeDataAsync(workflow.Name, data.Seq, row, ct);
        if (!taken)
            return;
        _log.LogInformation("New data up to sequence {Seq} for {Workflow}: {Outcome}", data.Seq, workflow.Name, runId is { } id ? Requested(id, row!).Message : result.Message);
        Wake();
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
