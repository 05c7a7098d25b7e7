using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace AiWorkflows.Workflows;

/// <summary>
/// The trace of a run: its id follows from the run, so that every host, and one that was started again, adds to the same trace without
/// having been told.
/// </summary>
internal static class RunTrace
{
    /// <summary>What the spans of a run belong to. They have no parent of their own: the span of the run itself exists only when it has ended.</summary>
    public static ActivityContext Of(RunRecord run) => new(TraceId(run), default, ActivityTraceFlags.Recorded, isRemote: true);

    /// <summary>The moment of the request tells apart runs of the same number in different databases.</summary>
    public static ActivityTraceId TraceId(RunRecord run)
    {
        Span<byte> text = stackalloc byte[16 + Encoding.UTF8.GetMaxByteCount(run.Workflow.Length)];
        BinaryPrimitives.WriteInt64BigEndian(text, run.RunId);
        BinaryPrimitives.WriteInt64BigEndian(text[8..], run.RequestedAt.Ticks);
        var length = 16 + Encoding.UTF8.GetBytes(run.Workflow, text[16..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..length], hash);
        return ActivityTraceId.CreateFromBytes(hash[..16]);
    }

    /// <summary>The span of an attempt at a step; null when nobody listens.</summary>
    public static Activity? StartAttempt(RunRecord run, StageRunRecord row, string host)
    {
        if (!Telemetry.Source.HasListeners() || Telemetry.Source.StartActivity($"{run.Workflow} {row.Step}", ActivityKind.Consumer, Of(run)) is not { } activity)
            return null;
        return Tag(activity, run)
            .SetTag("aiworkflows.step", row.Step)
            .SetTag("aiworkflows.attempt", row.Attempt)
            .SetTag("aiworkflows.partition", row.Partition)
            .SetTag("aiworkflows.queue", row.Queue)
            .SetTag("aiworkflows.host", host)
            .SetTag("aiworkflows.queue_seconds", row.Waited()?.TotalSeconds);
    }

    /// <summary>Gives the span of a run that has ended.</summary>
    public static void Ended(RunRecord run)
    {
        if (!Telemetry.Source.HasListeners() || run.FinishedAt is not { } finished)
            return;
        // The span stands for itself, whatever is just being executed when the run ends.
        var current = Activity.Current;
        Activity.Current = null;
        try
        {
            if (Telemetry.Source.StartActivity($"run {run.Workflow}", ActivityKind.Internal, Of(run), startTime: run.StartedAt ?? run.RequestedAt) is not { } activity)
                return;
            Tag(activity, run).SetTag("aiworkflows.triggered_by", run.TriggeredBy).SetTag("aiworkflows.state", run.State);
            if (run.State == States.Failed)
                activity.SetStatus(ActivityStatusCode.Error, run.Error);
            activity.SetEndTime(finished);
            activity.Dispose();
        }
        finally
        {
            Activity.Current = current;
        }
    }

    private static Activity Tag(Activity activity, RunRecord run) => activity
        .SetTag("aiworkflows.workflow", run.Workflow)
        .SetTag("aiworkflows.run_id", run.RunId)
        .SetTag("aiworkflows.window_from", Timestamps.Iso(run.Window.From))
        .SetTag("aiworkflows.window_to", Timestamps.Iso(run.Window.To));
}
