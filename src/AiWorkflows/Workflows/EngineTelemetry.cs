using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace AiWorkflows.Workflows;

/// <summary>The one activity source and meter of the engine.</summary>
internal static class EngineTelemetry
{
    public const string Name = "AiWorkflows";

    public static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);
    private static readonly Histogram<double> RunDuration = Meter.CreateHistogram<double>("aiworkflows.run.duration", "s", "Time from the start of a run to its end.");
    private static readonly Histogram<double> AttemptDuration = Meter.CreateHistogram<double>("aiworkflows.stage.attempt.duration", "s", "Duration of an attempt at a step.");
    private static readonly Counter<long> Attempts = Meter.CreateCounter<long>("aiworkflows.stage.attempts", "{attempt}", "Attempts at steps, by outcome.");
    private static readonly Counter<long> RowsRead = Meter.CreateCounter<long>("aiworkflows.stage.rows.read", "{row}", "Rows that attempts have read.");
    private static readonly Counter<long> RowsWritten = Meter.CreateCounter<long>("aiworkflows.stage.rows.written", "{row}", "Rows that attempts have written.");

    public static void RunEnded(RunRecord run)
    {
        if (run is { StartedAt: { } started, FinishedAt: { } finished })
            RunDuration.Record((finished - started).TotalSeconds, new("workflow", run.Workflow), new("state", run.State));
    }

    public static void AttemptEnded(string workflow, string step, string outcome, TimeSpan duration, long rowsRead, long rowsWritten)
    {
        var tags = new TagList { { "workflow", workflow }, { "step", step }, { "outcome", outcome } };
        AttemptDuration.Record(duration.TotalSeconds, tags);
        Attempts.Add(1, tags);
        RowsRead.Add(rowsRead, tags);
        RowsWritten.Add(rowsWritten, tags);
    }
}
