namespace AiWorkflows.Streaming;

/// <summary>How a host works on streams.</summary>
internal sealed record StreamOptions
{
    public required string Host { get; init; }

    public required string CodeVersion { get; init; }

    /// <summary>Nobody else can work on the database.</summary>
    public bool OnlyHost { get; init; }

    /// <summary>How long a claim holds without a beat.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(9);

    public TimeSpan Beat { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Events of one micro-batch at most.</summary>
    public int MostEvents { get; init; } = 5_000;

    /// <summary>Between two micro-batches of a partition that are not full: so many commits a second at most.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How often a host looks whether another process has taken events in; its own it knows of at once.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMilliseconds(700);

    /// <summary>How often a source that has come to its end is asked again.</summary>
    public TimeSpan SourcePoll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a partition that failed waits before it tries again; doubled with each failure, up to half a minute.</summary>
    public TimeSpan Retry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Events that may wait to be made durable.</summary>
    public int MostWaiting { get; init; } = 100_000;

    /// <summary>Events of a stream that may be taken in and not published yet.</summary>
    public long MostBehind { get; init; } = 1_000_000;

    /// <summary>How old commits are before they are merged: longer than any read that has pinned nothing.</summary>
    public TimeSpan CompactAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long published events are kept as they came.</summary>
    public TimeSpan Keep { get; init; } = TimeSpan.FromDays(1);
}
