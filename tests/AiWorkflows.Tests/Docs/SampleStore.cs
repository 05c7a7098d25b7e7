using AiWorkflows.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Tests.Docs;

/// <summary>A small store filled by hand: three runs, two groups, two model versions, a superseded batch, and outcomes for most predictions.</summary>
internal sealed class SampleStore : IAsyncDisposable
{
    public const int Days = 3;
    public const int PredictionsPerDay = 60;

    private readonly string _directory = Directory.CreateTempSubdirectory("aiworkflows-sample-").FullName;

    private SampleStore() => Database = new(Path.Combine(_directory, "store.db"));

    public SqliteDatabase Database { get; }

    /// <summary>Probability and outcome of each current prediction whose outcome is known, by day of June 2001.</summary>
    public List<(int Day, double Probability, bool Actual)> Scored { get; } = [];

    public static async Task<SampleStore> CreateAsync()
    {
        var store = new SampleStore();
        await new SqliteMigrator(store.Database).MigrateAsync(TestContext.Current.CancellationToken);
        await using var connection = new SqliteConnection(store.Database.WriteConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = connection.BeginTransaction();
        store.Fill(connection, transaction);
        await transaction.CommitAsync(TestContext.Current.CancellationToken);
        return store;
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private static long June(double day) => Timestamps.ToMicros(new DateTime(2001, 6, 1, 0, 0, 0, DateTimeKind.Utc).AddDays(day - 1));

    private void Fill(SqliteConnection connection, SqliteTransaction transaction)
    {
        void Run(string sql, params (string Name, object? Value)[] parameters)
        {
            using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = sql;
            foreach (var (name, value) in parameters)
                command.Parameters.AddWithValue(name, value ?? DBNull.Value);
            command.ExecuteNonQuery();
        }

        foreach (var (id, state, error) in new[] { (1L, "succeeded", null), (2L, "failed", "the disk is full"), (3L, "succeeded", (string?)null) })
        {
            Run("""
                INSERT INTO workflows_runs (run_id, workflow, requested_by, triggered_by, window_from, window_to, state, requested_at, started_at, finished_at, code_version, error)
                VALUES ($id, 'flight-delays', 'ada@lab', 'manual', $from, $to, $state, $from, $from, $to, $code, $error)
                """, ("$id", id), ("$from", June(id)), ("$to", June(id + 1)), ("$state", state), ("$code", $"abc-{id}"), ("$error", error));
            foreach (var (ordinal, stage, kind) in new[] { (1, "departures", "feature"), (2, "delay-training", "training"), (3, "delay-scoring", "inference") })
                Run("""
                    INSERT INTO workflows_stage_runs (run_id, stage, step, kind, ordinal, queue, state, attempt, not_before, started_at, finished_at, rows_written, error)
                    VALUES ($run, $stage, $stage, $kind, $ordinal, 'features', $state, $attempt, 0, $from, $to, 100, $error)
                    """, ("$run", id), ("$stage", stage), ("$kind", kind), ("$ordinal", ordinal), ("$state", state), ("$attempt", ordinal == 1 ? 2 : 1),
                    ("$from", June(id)), ("$to", June(id) + ordinal * 2_000_000), ("$error", error));
        }
        Run("INSERT INTO workflows_attempts (stage_run_id, attempt, claim, host, code_version, started_at, ended_at, outcome, error) VALUES (1, 1, 'a', 'h', 'abc-1', $t, $t, 'failed', 'file not found'), (1, 2, 'b', 'h', 'abc-1', $t, $t, 'succeeded', NULL)", ("$t", June(1)));

        foreach (var (group, pipeline) in new[] { ("departures", "departures"), ("flight_outcomes", "outcome") })
        {
            Run("INSERT INTO feature_store_feature_groups (feature_group, version, fingerprint, schema_revision, written_by, columns_json, created_at) VALUES ($g, 1, 'f', 1, $p, '[]', 0)", ("$g", group), ("$p", pipeline));
            Run("INSERT INTO workflows_watermarks (pipeline, input, event_time, processed_seq) VALUES ($p, '', $t, 3)", ("$p", pipeline), ("$t", June(4)));
        }
        foreach (var (id, group, run, seq) in new[] { (1L, "departures", 1L, 1L), (2L, "flight_outcomes", 1L, 2L), (3L, "departures", 3L, 3L) })
            Run("""
                INSERT INTO feature_store_commits (commit_id, feature_group, version, kind, window_from, window_to, base_seq, run_id, stage, state, published_seq, published_at, created_at,
                    rows, new_rows, rows_computed, rows_quarantined, min_event_time, max_event_time, code_version)
                VALUES ($id, $group, 1, 'replace', $from, $to, 0, $run, $group, 'published', $seq, $to, $from, 100, 90, 120, $bad, $from, $to, $code)
                """, ("$id", id), ("$group", group), ("$run", run), ("$seq", seq), ("$from", June(run)), ("$to", June(run + 1)), ("$bad", id == 2 ? 2 : 0), ("$code", $"abc-{run}"));
        Run("INSERT INTO feature_store_commits (feature_group, version, kind, window_from, window_to, base_seq, state, created_at, rows) VALUES ('departures', 1, 'replace', 0, 1, 0, 'writing', 0, 77)");
        Run("""INSERT INTO feature_store_quarantine (commit_id, row_json, rule_name, reason, quarantined_at, replayed_by) VALUES (2, '{"delay":9999}', 'delay in [-90, 1500]', 'delay = 9999', 0, NULL), (2, '{"delay":-500}', 'delay in [-90, 1500]', 'delay = -500', 0, 3)""");

        Run("INSERT INTO model_registry_models (model, task, created_at) VALUES ('flight-delay', 'binary', 0)");
        for (var version = 1; version <= 2; version++)
        {
            Run("""
                INSERT INTO feature_store_training_datasets (dataset_id, feature_view, view_version, view_fingerprint, window_from, window_to, cut_off, label_within, as_of_seq, rows, unlabelled_rows, content_hash, file_name, file_bytes, run_id, code_version, published_seq, published_at)
                VALUES ($v, 'delay', 1, 'f', 0, 1, $cut, 0, 2, 5000, 10, $hash, 'd.arrow', 1, 1, 'abc-1', 2, $cut)
                """, ("$v", version), ("$cut", June(version)), ("$hash", $"hash-{version}"));
            Run("INSERT INTO feature_store_dataset_commits (dataset_id, commit_id) VALUES ($v, 1), ($v, 2)", ("$v", version));
            Run("""
                INSERT INTO model_registry_versions (model, version, pipeline, task, trainer, parameters, seed, dataset_id, feature_view, view_version, view_fingerprint, cut_off, training_from, training_to, holdout_from, holdout_to,
                    training_rows, holdout_rows, metrics, baseline_metrics, primary_metric, primary_value, baseline_value, signature, artifact_sha256, content_sha256, promotion, run_id, code_version, published_seq, created_at)
                VALUES ('flight-delay', $v, 'delay-training', 'binary', 'LightGbm', '{}', 1, $v, 'delay', 1, 'f', $cut, 0, 1, 1, 2, 4000, 1000, '{"auc":0.77}', '{"route and hour":{"auc":0.71}}', 'auc', 0.77, 0.71, '{}', 'a', 'c', 'promoted', 1, 'abc-1', 2, $cut)
                """, ("$v", version), ("$cut", June(version)));
            Run("INSERT INTO model_registry_alias_history (model, alias, version, previous_version, changed_at, changed_by, reason) VALUES ('flight-delay', 'champion', $v, $p, $t, 'ada@lab', 'better')", ("$v", version), ("$p", version == 1 ? null : 1), ("$t", June(version)));
        }
        Run("INSERT INTO model_registry_aliases (model, alias, version, changed_at, changed_by, reason) VALUES ('flight-delay', 'champion', 2, 0, 'ada@lab', 'better')");
        FillPredictions(Run);
    }

    private void FillPredictions(Action<string, (string, object?)[]> run)
    {
        var random = new Random(7);
        // Batch 1 is superseded by batch 2 (same window, published later); batch 3 is in hindsight and counts nowhere it overlaps.
        run("INSERT INTO prediction_log_superseded (batch_id, window_from, window_to, by_batch_id) VALUES (1, $from, $to, 2), (3, $from, $to, 2)", [("$from", June(1)), ("$to", June(1 + Days))]);
        foreach (var (batch, version, hindsight, seq) in new[] { (1, 1, 0, 4), (2, 2, 0, 5), (3, 2, 1, 6) })
        {
            run("""
                INSERT INTO prediction_log_batches (batch_id, pipeline, role, model, version, feature_view, view_version, window_from, window_to, as_of_seq, hindsight, predicted_at, state, published_seq, published_at, rows, positive_share, run_id, code_version)
                VALUES ($b, 'delay-scoring', 'champion', 'flight-delay', $v, 'delay', 1, $from, $to, 3, $h, $to, 'published', $seq, $to, $rows, 0.2, 3, 'abc-3')
                """, [("$b", batch), ("$v", version), ("$from", June(1)), ("$to", June(1 + Days)), ("$h", hindsight), ("$seq", seq), ("$rows", Days * PredictionsPerDay)]);
            run("INSERT INTO prediction_log_batch_commits (batch_id, commit_id) VALUES ($b, 3), ($b, 1)", [("$b", batch)]);
            for (var i = 0; i < Days * PredictionsPerDay; i++)
            {
                var day = 1 + i / PredictionsPerDay;
                // Ties on purpose.
                var probability = Math.Round(random.NextDouble(), 1);
                run("INSERT INTO prediction_log_prediction_rows (batch_id, ordinal, entity_key, event_time, score, probability, output, feature_hash) VALUES ($b, $i, $k, $t, $p, $p, '{}', 0)",
                    [("$b", batch), ("$i", i), ("$k", $"[{i}]"), ("$t", June(day + i % PredictionsPerDay / 100.0)), ("$p", probability)]);
                if (batch == 2 && (day < Days || i % 2 == 0))
                {
                    var actual = random.NextDouble() < probability;
                    Scored.Add((day, probability, actual));
                    run("INSERT INTO prediction_log_outcomes (feature_view, entity_key, event_time, actual, actual_at, known_seq) VALUES ('delay', $k, $t, $a, $t, 5)",
                        [("$k", $"[{i}]"), ("$t", June(day + i % PredictionsPerDay / 100.0)), ("$a", actual ? 1.0 : 0.0)]);
                }
            }
        }
    }
}
