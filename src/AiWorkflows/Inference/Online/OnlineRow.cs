namespace AiWorkflows.Inference;

/// <summary>The batch under which a host logs what one model version answers.</summary>
internal sealed record OnlineBatch(string Pipeline, string Role, string Model, int Version, string View, int ViewVersion, string CodeVersion);

/// <summary>One answered prediction as it is logged. Times are UTC.</summary>
/// <param name="RequestId">The client's; null where it gave none, and for shadows.</param>
/// <param name="Item">Place of the instance in its request.</param>
/// <param name="Answers">Of a shadow: the prediction that was answered in its place.</param>
/// <param name="Missing">JSON array: joins that found no row.</param>
internal sealed record OnlineRow(
    long BatchId, int Ordinal, string? RequestId, int Item, long? Answers, string EntityKey, DateTime EventTime, DateTime PredictedAt, long AsOfSeq,
    ScoredExample Scored, string Inputs, string Missing)
{
    public long PredictionId => (BatchId << 32) + Ordinal;
}

/// <summary>The rows of one request.</summary>
/// <param name="IsAssumed">Whether nobody has looked yet if something was published after the sequence of which the features are: the log does, and takes the rows only if not.</param>
internal readonly record struct LogEntry(IReadOnlyList<OnlineRow> Rows, bool IsAssumed);

/// <summary>What the log did with the rows of a request.</summary>
internal enum Logged
{
    /// <summary>They are durable.</summary>
    Written,

    /// <summary>Nothing: the request's id was logged before.</summary>
    Repeated,

    /// <summary>Nothing: more was published than was assumed.</summary>
    Outdated,
}

/// <summary>A row of a request that was answered before.</summary>
internal sealed record AnsweredRow(
    long PredictionId, string Model, int Version, string EntityKey, DateTime EventTime, double? Score, double? Probability, string? Label, string Output, string Missing);

/// <summary>What online inference needs of the prediction log.</summary>
internal interface IOnlineLog
{
    /// <summary>Whether the store is known to be away: what was asked of it last found no connection, and is being tried again.</summary>
    bool IsAway => false;

    /// <summary>Opens a batch to number rows in; its id.</summary>
    Task<long> OpenAsync(OnlineBatch batch, CancellationToken ct);

    /// <summary>Writes the rows of requests durably, in one transaction.</summary>
    Task<IReadOnlyList<Logged>> AppendAsync(IReadOnlyList<LogEntry> requests, CancellationToken ct);

    /// <summary>What was answered to a request, in the order of its instances; empty for one that is not known.</summary>
    Task<IReadOnlyList<AnsweredRow>> AnsweredAsync(string requestId, CancellationToken ct);
}
