using System.Text.Json.Serialization;

namespace AiWorkflows.Storage.Queries;

/// <summary>A backfill with how far its windows are.</summary>
internal sealed record BackfillRow
{
    public long BackfillId { get; init; }
    public required string Workflow { get; init; }

    /// <summary>That of the whole: requested and running until the last window has ended, then the worst of theirs.</summary>
    public string State => Running > 0 || (Requested > 0 && StartedAt is not null) ? "running"
        : Requested > 0 ? "requested"
        : Failed > 0 ? "failed"
        : Cancelled > 0 ? "cancelled"
        : "succeeded";

    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }

    [JsonIgnore]
    public long Every { get; init; }

    public double EverySeconds => Every / 1e6;
    public int Parallel { get; init; }
    public bool Train { get; init; }

    /// <summary>Whether its models and predictions stand beside those of the workflow.</summary>
    public bool Backtest { get; init; }

    /// <summary>The alias of the models that it trains; null where it trains none.</summary>
    public string? Alias => Train ? FormattableString.Invariant($"{(Backtest ? "backtest" : "backfill")}-{BackfillId}") : null;

    public string? Models { get; init; }
    public long PinSeq { get; init; }
    public required string RequestedBy { get; init; }
    public Utc RequestedAt { get; init; }
    public int Windows => Requested + Running + Succeeded + Failed + Cancelled;
    public int Requested { get; init; }
    public int Running { get; init; }
    public int Succeeded { get; init; }
    public int Failed { get; init; }
    public int Cancelled { get; init; }
    public Utc? StartedAt { get; init; }

    /// <summary>Null while a window is open.</summary>
    public Utc? FinishedAt { get; init; }

    public double? Seconds => FinishedAt is { } end && StartedAt is { } start ? (end.Value - start.Value).TotalSeconds : null;
}

/// <summary>A window of a backfill.</summary>
internal sealed record BackfillWindowRow
{
    public long RunId { get; init; }
    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }
    public required string State { get; init; }
    public Utc? StartedAt { get; init; }
    public Utc? FinishedAt { get; init; }
    public string? Error { get; init; }
    public string? Reason { get; init; }

    public double? Seconds => FinishedAt is { } end && StartedAt is { } start ? (end.Value - start.Value).TotalSeconds : null;
}
