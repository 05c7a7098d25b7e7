using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace AiWorkflows.Workflows;

/// <summary>The instruments of the engine. What costs a query is measured only while somebody listens.</summary>
internal static class EngineTelemetry
{
    private static readonly Meter Meter = Telemetry.Meter;
    private static readonly Histogram<double> RunDuration = Meter.CreateHistogram<double>("aiworkflows.run.duration", "s", "Time from the start of a run to its end.");
    private static readonly Histogram<double> AttemptDuration = Meter.CreateHistogram<double>("aiworkflows.stage.attempt.duration", "s", "Duration of an attempt at a step.");
    private static readonly Histogram<double> QueueDuration = Meter.CreateHistogram<double>("aiworkflows.stage.queue.duration", "s", "Time a step waited from when it could start to when it did.");
    private static readonly Counter<long> Attempts = Meter.CreateCounter<long>("aiworkflows.stage.attempts", "{attempt}", "Attempts at steps, by outcome.");
    private static readonly Counter<long> RowsRead = Meter.CreateCounter<long>("aiworkflows.stage.rows.read", "{row}", "Rows that attempts have read.");
    private static readonly Counter<long> RowsWritten = Meter.CreateCounter<long>("aiworkflows.stage.rows.written", "{row}", "Rows that attempts have written.");
    private static readonly Counter<long> LeasesLost = Meter.CreateCounter<long>("aiworkflows.leases.lost", "{lease}", "Leases of running steps that have run out, as this host found.");
    private static readonly Gauge<double> QueueAge = Meter.CreateGauge<double>("aiworkflows.queue.age", "s", "How long the oldest waiting step of a queue could have started.");
    private static readonly Gauge<long> QueueLength = Meter.CreateGauge<long>("aiworkflows.queue.length", "{step}", "Steps that wait in a queue and could start.");
    private static readonly Gauge<long> Hosts = Meter.CreateGauge<long>("aiworkflows.hosts", "{host}", "Hosts of the database that are alive.");

    private static readonly ConcurrentDictionary<string, byte> QueuesSeen = [];

    public static bool QueuesAreWatched => QueueAge.Enabled || QueueLength.Enabled;

    public static bool HostsAreWatched => Hosts.Enabled;

    public static void RunEnded(RunRecord run)
    {
        if (run is { StartedAt: { } started, FinishedAt: { } finished })
            RunDuration.Record((finished - started).TotalSeconds, new("workflow", run.Workflow), new("state", run.State));
        RunTrace.Ended(run);
    }

    public static void AttemptStarted(string workflow, StageRunRecord row)
    {
        if (row.Waited() is { } waited)
            QueueDuration.Record(waited.TotalSeconds, new("workflow", workflow), new("step", row.Step), new("queue", row.Queue));
    }

    public static void AttemptEnded(string workflow, string step, StepOutcomeKind outcome, TimeSpan duration, long rowsRead, long rowsWritten)
    {
        var tags = new TagList { { "workflow", workflow }, { "step", step }, { "outcome", Name(outcome) } };
        AttemptDuration.Record(duration.TotalSeconds, tags);
        Attempts.Add(1, tags);
        RowsRead.Add(rowsRead, tags);
        RowsWritten.Add(rowsWritten, tags);
    }

    public static void LeasesWereLost(int count)
    {
        if (count > 0)
            LeasesLost.Add(count);
    }

    public static void QueuesAre(IReadOnlyList<QueueState> queues)
    {
        foreach (var queue in queues)
            QueuesSeen.TryAdd(queue.Queue, 0);
        // A queue that nothing waits in any more is not in the list; its last values would stand for ever.
        foreach (var queue in QueuesSeen.Keys)
        {
            var state = queues.FirstOrDefault(q => q.Queue == queue);
            QueueLength.Record(state?.Waiting ?? 0, new KeyValuePair<string, object?>("queue", queue));
            QueueAge.Record(state?.Oldest.TotalSeconds ?? 0, new KeyValuePair<string, object?>("queue", queue));
        }
    }

    public static void HostsAre(int count) => Hosts.Record(count);

    /// <summary>How long the step could have started before it did, by the database's clock; null where it was never dispatched.</summary>
    public static TimeSpan? Waited(this StageRunRecord row)
    {
        if (row is not { StartedAt: { } started, DispatchedAt: { } dispatched })
            return null;
        var since = row.NotBefore > dispatched ? row.NotBefore : dispatched;
        return started > since ? started - since : TimeSpan.Zero;
    }

    private static string Name(StepOutcomeKind outcome) => outcome switch
    {
        StepOutcomeKind.Done => "succeeded",
        StepOutcomeKind.Retry => "retry",
        StepOutcomeKind.Failed => "failed",
        StepOutcomeKind.Cancelled => "cancelled",
        _ => "released",
    };
}
