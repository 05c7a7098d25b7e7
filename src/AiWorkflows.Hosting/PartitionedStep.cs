using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting;

/// <summary>A step of several partitions as one line.</summary>
internal static class PartitionedStep
{
    /// <summary>The state of the whole: the worst of its partitions decides.</summary>
    public static string State(IReadOnlyCollection<string> parts)
    {
        bool Any(string state) => parts.Contains(state);
        return Any(States.Failed) ? States.Failed : Any(States.Running) ? States.Running
            : parts.Distinct().Count() == 1 ? parts.First()
            : Any(States.Cancelled) ? States.Cancelled : Any(States.Pending) && Any(States.Succeeded) ? States.Running : States.Pending;
    }

    /// <summary>Steps in their order, each of them once.</summary>
    public static IReadOnlyList<StepRow> Fold(IReadOnlyList<StepRow> steps) => [.. steps.GroupBy(s => s.Step).Select(g => Whole([.. g]))];

    private static StepRow Whole(IReadOnlyList<StepRow> parts)
    {
        var first = parts[0];
        if (parts.Count == 1)
            return first;
        var done = parts.Count(p => p.State == States.Succeeded);
        var worst = parts.FirstOrDefault(p => p.State == States.Failed) ?? parts.FirstOrDefault(p => p.Error is not null);
        return first with
        {
            State = State([.. parts.Select(p => p.State)]),
            Attempt = parts.Max(p => p.Attempt),
            Failures = parts.Sum(p => p.Failures),
            Lost = parts.Sum(p => p.Lost),
            StartedAt = parts.Min(p => p.StartedAt?.Value) is { } start ? start : null,
            FinishedAt = parts.All(p => p.FinishedAt is not null) && parts.Max(p => p.FinishedAt?.Value) is { } end ? end : null,
            RowsRead = parts.Sum(p => p.RowsRead),
            RowsWritten = parts.Sum(p => p.RowsWritten),
            ProgressDone = done,
            ProgressTotal = parts.Count,
            ProgressText = $"{done} of {parts.Count} partitions",
            Error = worst is null ? null : $"partition {worst.Partition + 1} of {parts.Count}: {worst.Error}",
            Reason = parts.FirstOrDefault(p => p.Reason is not null)?.Reason,
        };
    }
}
