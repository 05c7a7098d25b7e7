namespace AiWorkflows.Workflows;

/// <summary>What can be removed when it is old enough.</summary>
internal enum RetentionClass
{
    /// <summary>Log lines of runs that have ended.</summary>
    StageLogs,

    /// <summary>Ended runs with their steps, attempts, edges, pins, log lines and the requests they came from.</summary>
    Runs,

    /// <summary>Rows that expectations kept out.</summary>
    Quarantine,

    /// <summary>Versions of feature rows that a later commit has replaced.</summary>
    FeatureVersions,

    /// <summary>Records of commits and batches that were never published.</summary>
    DiscardedCommits,

    /// <summary>Rows of published batches of predictions.</summary>
    Predictions,

    /// <summary>Saved models that no alias points at.</summary>
    ModelArtifacts,
}

/// <summary>How long what is kept. Classes that are not named are kept for ever.</summary>
/// <param name="ReproducibleFor">
/// How long a model version that no alias points at holds the feature versions that it was trained on; after that they go with the others, and what they were
/// needed for is marked as not reproducible. Null: for ever.
/// </param>
internal sealed record RetentionPolicy(IReadOnlyDictionary<RetentionClass, TimeSpan> Ages, TimeSpan? ReproducibleFor = null);

/// <summary>How a view reads, as far as it decides which versions of rows it needs.</summary>
/// <param name="AsPublished">Groups of which it needs all versions, because each counts from its own publication on.</param>
internal sealed record ViewReads(string View, int Version, IReadOnlyCollection<(string Group, int Version)> AsPublished);

/// <summary>One class in a plan, or what was done about it.</summary>
/// <param name="OlderThan">Null: kept for ever.</param>
/// <param name="Bytes">Of the values; the file shrinks only when the engine gives pages back.</param>
/// <param name="Held">Old enough, but needed: runs, row versions or saved models.</param>
internal sealed record RetentionLine(RetentionClass Class, TimeSpan? OlderThan, long Rows, long Bytes, long Held);
