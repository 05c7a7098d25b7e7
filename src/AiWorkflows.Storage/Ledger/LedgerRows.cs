using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

/// <summary>A row of <c>workflows.runs</c> as it is stored.</summary>
internal sealed class RunRow
{
    public const string Columns = "run_id, workflow, window_from, window_to, state, requested_by, triggered_by, mode, catch_up, hindsight, requested_at, started_at, finished_at, code_version, error, reason, backfill_id";

    public long RunId { get; set; }

    public string Workflow { get; set; } = "";

    public Utc WindowFrom { get; set; }

    public Utc WindowTo { get; set; }

    public string State { get; set; } = "";

    public string RequestedBy { get; set; } = "";

    public string TriggeredBy { get; set; } = "";

    public string Mode { get; set; } = "";

    public long CatchUp { get; set; }

    public long Hindsight { get; set; }

    public Utc RequestedAt { get; set; }

    public Utc? StartedAt { get; set; }

    public Utc? FinishedAt { get; set; }

    public string? CodeVersion { get; set; }

    public string? Error { get; set; }

    public string? Reason { get; set; }

    public long? BackfillId { get; set; }

    public RunRecord ToRecord() => new(
        RunId, Workflow, new(WindowFrom, WindowTo), State, RequestedBy, TriggeredBy, Mode, CatchUp != 0, Hindsight != 0,
        RequestedAt, StartedAt, FinishedAt, CodeVersion, Error, Reason, BackfillId);
}

/// <summary>A row of <c>workflows.stage_runs</c> as it is stored.</summary>
internal sealed class StageRunRow
{
    public const string Columns = """
        stage_run_id, run_id, stage, step, kind, ordinal, partition, partitions, queue, state, attempt, failures, lost, max_failures, not_before, deadline_at, host, engine, job_id,
        dispatch_no, dispatched_at, as_of_seq, started_at, finished_at, reason, error, progress_done, progress_total, progress_text, rows_read, rows_written, window_from, window_to
        """;

    public long StageRunId { get; set; }

    public long RunId { get; set; }

    public string Stage { get; set; } = "";

    public string Step { get; set; } = "";

    public string Kind { get; set; } = "";

    public int Ordinal { get; set; }

    public int Partition { get; set; }

    public int Partitions { get; set; }

    public string Queue { get; set; } = "";

    public string State { get; set; } = "";

    public int Attempt { get; set; }

    public int Failures { get; set; }

    public int Lost { get; set; }

    public int MaxFailures { get; set; }

    public Utc NotBefore { get; set; }

    public Utc? DeadlineAt { get; set; }

    public string? Host { get; set; }

    public string? Engine { get; set; }

    public string? JobId { get; set; }

    public int DispatchNo { get; set; }

    public Utc? DispatchedAt { get; set; }

    public long? AsOfSeq { get; set; }

    public Utc? StartedAt { get; set; }

    public Utc? FinishedAt { get; set; }

    public string? Reason { get; set; }

    public string? Error { get; set; }

    public long ProgressDone { get; set; }

    public long? ProgressTotal { get; set; }

    public string? ProgressText { get; set; }

    public long RowsRead { get; set; }

    public long RowsWritten { get; set; }

    public Utc? WindowFrom { get; set; }

    public Utc? WindowTo { get; set; }

    public StageRunRecord ToRecord() => new(
        StageRunId, RunId, Stage, Step, Kind, Ordinal, Partition, Partitions, Queue, State, Attempt, Failures, Lost, MaxFailures, NotBefore,
        DeadlineAt, Host, Engine, JobId, DispatchNo, DispatchedAt, AsOfSeq, StartedAt,
        FinishedAt, Reason, Error, ProgressDone, ProgressTotal, ProgressText, RowsRead, RowsWritten, WindowFrom is { } from ? new Window(from, WindowTo!.Value) : null);
}
