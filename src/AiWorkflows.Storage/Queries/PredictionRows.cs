namespace AiWorkflows.Storage.Queries;

/// <summary>A prediction, as lists show it.</summary>
internal sealed record PredictionListRow
{
    public long PredictionId { get; init; }
    public required string Model { get; init; }
    public int Version { get; init; }
    public JsonText EntityKey { get; init; }
    public Utc EventTime { get; init; }
    public double? Score { get; init; }
    public double? Probability { get; init; }
    public string? Label { get; init; }
    public JsonText Output { get; init; }
    public required string Pipeline { get; init; }
    public required string Role { get; init; }
    public bool Hindsight { get; init; }
    public Utc PredictedAt { get; init; }
    public long? RunId { get; init; }

    /// <summary>What became of it; null while that is not known.</summary>
    public double? Actual { get; init; }
    public string? ActualText { get; init; }
    public Utc? ActualAt { get; init; }
}

/// <summary>A commit that a prediction or its model goes back to, with the run and the code that wrote it.</summary>
internal sealed record LineageCommit
{
    /// <summary><c>training</c>: the model's dataset read it; <c>prediction</c>: the batch did.</summary>
    public required string ReadFor { get; init; }
    public required string FeatureGroup { get; init; }
    public int Version { get; init; }
    public long CommitId { get; init; }
    public long PublishedSeq { get; init; }
    public Utc PublishedAt { get; init; }
    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }
    public long Rows { get; init; }
    public string? Stage { get; init; }
    public long? RunId { get; init; }
    public string? CodeVersion { get; init; }
}

/// <summary>The batch that a prediction lies in, and the model version that made it.</summary>
internal sealed record PredictionOrigin
{
    public long BatchId { get; init; }
    public required string Pipeline { get; init; }
    public required string Role { get; init; }
    public required string View { get; init; }
    public int ViewVersion { get; init; }
    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }
    public long AsOfSeq { get; init; }
    public bool Hindsight { get; init; }
    public Utc PredictedAt { get; init; }
    public long? RunId { get; init; }
    public required string CodeVersion { get; init; }
}

/// <summary>What is kept with an online prediction, because it exists nowhere else.</summary>
internal sealed record OnlineInputs
{
    public long AsOfSeq { get; init; }

    /// <summary>The spine row.</summary>
    public JsonText Inputs { get; init; }

    /// <summary>The example that the model saw.</summary>
    public JsonText Features { get; init; }

    /// <summary>Joins that found no row.</summary>
    public JsonText Missing { get; init; }
    public string? RequestId { get; init; }

    /// <summary>Of a shadow: the prediction that was answered in its place.</summary>
    public long? Answers { get; init; }
}
