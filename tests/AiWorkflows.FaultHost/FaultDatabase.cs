using AiWorkflows.Storage;
using AiWorkflows.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.FaultHost;

/// <summary>The embedded engine, with points inside its transactions and a clock that may be wrong.</summary>
internal sealed class FaultDatabase(string path, Faults faults, TimeSpan clockOffset) : SqliteDatabase(path)
{
    /// <summary>Statements before which a transaction can be cut in two.</summary>
    private static readonly (string Name, string Part)[] Statements =
    [
        ("steps are planned", "INSERT INTO {workflows.stage_runs}"),
        ("edges are planned", "INSERT INTO {workflows.run_edges}"),
        ("a step is dispatched", "SET dispatch_no = dispatch_no + 1"),
        ("an attempt is noted", "INSERT INTO {workflows.attempts}"),
        ("a run is ended", "UPDATE {workflows.runs} SET state = @State, finished_at"),
        ("the clock is locked", "SET seq = seq WHERE"),
        ("the clock moves", "SET seq = seq + 1"),
        ("a commit is published", "SET state = 'published', published_seq = @Seq, published_at = @PublishedAt WHERE commit_id = @CommitId"),
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

    public override string Sql(string template)
    {
        foreach (var (name, part) in Statements)
            if (template.Contains(part, StringComparison.Ordinal))
                faults.Reach("before " + name);
        return base.Sql(template);
    }

    public override async Task<T> WriteRawAsync<T>(Func<SqliteConnection, T> work, CancellationToken ct)
    {
        faults.Reach("before a chunk");
        var result = await base.WriteRawAsync(work, ct);
        faults.Reach("after a chunk");
        return result;
    }

    protected override string Render(string name, string argument)
    {
        var rendered = base.Render(name, argument);
        var offset = (long)clockOffset.TotalMicroseconds;
        return name is "now" or "in" or "ago" && offset != 0 ? $"({rendered} + {offset})" : rendered;
    }
}
