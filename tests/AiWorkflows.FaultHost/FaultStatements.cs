namespace AiWorkflows.FaultHost;

/// <summary>Points inside of transactions.</summary>
internal static class FaultStatements
{
    /// <summary>Statements before which a transaction can be cut in two.</summary>
    private static readonly (string Name, string Part)[] All =
    [
        ("steps are planned", "INSERT INTO {workflows.stage_runs}"),
        ("edges are planned", "INSERT INTO {workflows.run_edges}"),
        ("a step is dispatched", "SET dispatch_no = dispatch_no + 1"),
        ("an attempt is noted", "INSERT INTO {workflows.attempts}"),
        ("a run is ended", "UPDATE {workflows.runs} SET state = @State, finished_at"),
        ("the clock is locked", "SET seq = seq WHERE"),
        ("the clock moves", "SET seq = seq + 1"),
        ("a commit is published", "SET state = 'published', published_seq = @Seq, published_at = @PublishedAt, rows = @Rows"),
        ("a dataset is published", "INSERT INTO {feature_store.training_datasets}"),
        ("a version is published", "INSERT INTO {model_registry.versions}"),
        ("an alias is set", "INSERT INTO {model_registry.alias_history}"),
        ("a batch is published", "INSERT INTO {prediction_log.batch_inputs}"),
        ("coverage is added", "INSERT INTO {workflows.coverage}"),
        ("a watermark is moved", "UPDATE {workflows.watermarks}"),
        ("an attempt is ended", "SET outcome = @Outcome"),
        ("a slice is sealed", "UPDATE {feature_store.commits} SET state = 'sealed'"),
        ("a commit is collected", "SET state = 'collected' WHERE commit_id"),
        ("outcomes are stored", "INSERT INTO {prediction_log.outcomes}"),
    ];

    /// <summary>Passes the points that lie before a statement; where statements travel in one batch, before it is sent.</summary>
    public static void Reach(Faults faults, string template)
    {
        foreach (var (name, part) in All)
            if (template.Contains(part, StringComparison.Ordinal))
                faults.Reach("before " + name);
    }
}
