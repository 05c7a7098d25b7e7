namespace AiWorkflows.Benchmarks.Dashboard;

/// <summary>How the large store is made: rows out of numbers, in the order in which the tables keep them.</summary>
internal static class LargeStoreSql
{
    /// <summary>Microseconds: an hour, and the first moment of the work.</summary>
    private const long Hour = 3_600_000_000;
    private const long Start = 1_700_000_000_000_000;
    private const long RunEvery = 60_000_000;

    /// <summary>What a commit counts: three columns with histograms of twenty bins.</summary>
    private const string Statistics =
        """
        {"rows":1000,"columns":[{"name":"airport","count":1000,"nulls":0,"distinct":231,"top":[{"value":"ATL","count":61},{"value":"ORD","count":55}]},{"name":"delay1h","count":990,"nulls":10,"min":-12,"max":340,"mean":11.3,"histogram":{"edges":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20],"counts":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]}},{"name":"late","count":1000,"nulls":0,"min":0,"max":1,"mean":0.2}]}
        """;

    private const string Columns =
        """[{"name":"airport","type":"text","role":"key"},{"name":"delay1h","type":"single","role":"feature","description":"minutes"},{"name":"late","type":"boolean","role":"feature"}]""";

    public static IReadOnlyList<(string What, string Sql)> Steps { get; } =
    [
        ("numbers", "CREATE TABLE n (i INTEGER PRIMARY KEY); WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 999) INSERT INTO n SELECT i FROM c"),
        ("20 workflows, paused; 200 backfills, one of 2,000 windows",
            $"""
            INSERT INTO workflows_workflows (workflow, paused_at, paused_by) SELECT {Workflow("i")}, {Start}, 'ana' FROM n WHERE i < 21;
            INSERT INTO workflows_backfills (backfill_id, workflow, window_from, window_to, every, pin_seq, requested_by, requested_at)
            SELECT i, {Workflow("i % 20")}, {Start}, {Start} + 2000 * {Hour}, {Hour}, 1, 'ana', {Start} FROM n WHERE i BETWEEN 1 AND 200
            """),
        ("1,000,000 runs",
            $"""
            INSERT INTO workflows_runs (run_id, workflow, requested_by, triggered_by, window_from, window_to, state, requested_at, started_at, finished_at, code_version, error, backfill_id)
            SELECT r, CASE WHEN r % 20 = 7 AND r < 601 THEN 'seldom' ELSE {Workflow("r % 20")} END, 'schedule',
                   CASE WHEN b IS NOT NULL THEN 'backfill' WHEN r % 97 = 5 AND r < 3000 THEN 'sql' ELSE 'schedule' END,
                   {Start} + r / 20 * {Hour}, {Start} + (r / 20 + 1) * {Hour},
                   CASE WHEN r = {LargeStore.Runs} THEN 'requested' WHEN r >= {LargeStore.Runs} - 2 THEN 'running' WHEN r % 1000 = 3 AND r < 20000 THEN 'cancelled' WHEN r % 400 = 100 THEN 'failed' ELSE 'succeeded' END,
                   {Start} + r * {RunEvery}, CASE WHEN r = {LargeStore.Runs} THEN NULL ELSE {Start} + r * {RunEvery} + 1000000 END,
                   CASE WHEN r >= {LargeStore.Runs} - 2 THEN NULL ELSE {Start} + r * {RunEvery} + 30000000 + r % 977 * 10000 END, '4c1e9aa0b7d2c3d4',
                   CASE WHEN r % 400 = 100 THEN 'departures: the file is locked' END, b
            FROM (SELECT 1000 * a.i + c.i + 1 AS r,
                         CASE WHEN (1000 * a.i + c.i + 1) % 20 = 2 AND a.i BETWEEN 100 AND 139 THEN 1 WHEN (1000 * a.i + c.i + 1) % 20 = 4 AND a.i BETWEEN 200 AND 995 THEN 2 + (a.i - 200) / 4 END AS b
                  FROM n a CROSS JOIN n c)
            """),
        ("3,000,000 steps",
            $$"""
            INSERT INTO workflows_stage_runs (stage_run_id, run_id, stage, step, kind, ordinal, queue, state, attempt, not_before, host, engine, job_id, as_of_seq, started_at, finished_at, rows_read, rows_written, lease_until, error)
            SELECT 3 * (r.run_id - 1) + s.i + 1, r.run_id, CASE s.i WHEN 0 THEN 'departures' WHEN 1 THEN 'route-hour' ELSE 'delay-scoring' END, CASE s.i WHEN 0 THEN 'departures' WHEN 1 THEN 'route-hour' ELSE 'delay-scoring' END,
                   CASE WHEN s.i = 2 THEN 'inference' ELSE 'feature' END, s.i, CASE WHEN s.i = 2 THEN 'inference' ELSE 'features' END,
                   CASE WHEN r.state IN ('running', 'failed') AND s.i = 0 THEN 'succeeded' WHEN r.state IN ('running', 'failed') AND s.i = 2 THEN CASE r.state WHEN 'failed' THEN 'cancelled' ELSE 'pending' END WHEN r.state = 'requested' THEN 'pending' ELSE r.state END,
                   1, 0, 'node-a:4120:ab12cd', 'e', 3 * (r.run_id - 1) + s.i + 1, r.run_id, r.started_at + s.i * 9000000, r.started_at + s.i * 9000000 + 8000000, 1000, 1000, CASE WHEN r.state = 'running' AND s.i = 1 THEN 4102444800000000 END,
                   CASE WHEN r.state = 'failed' AND s.i = 1 THEN 'IOException: the file is locked' END
            FROM workflows_runs r CROSS JOIN n s WHERE s.i < 3
            """),
        ("2,000,000 edges, 3,000,000 attempts, 3,000,000 lines of logs",
            """
            INSERT INTO workflows_run_edges (run_id, step, after_step) SELECT run_id, CASE s.i WHEN 0 THEN 'delay-scoring' ELSE 'route-hour' END, CASE s.i WHEN 0 THEN 'route-hour' ELSE 'departures' END FROM workflows_runs CROSS JOIN n s WHERE s.i < 2;
            INSERT INTO workflows_attempts (stage_run_id, attempt, claim, host, code_version, started_at, ended_at, outcome) SELECT stage_run_id, 1, stage_run_id, host, 'x', COALESCE(started_at, 0), finished_at, state FROM workflows_stage_runs;
            INSERT INTO workflows_stage_logs (run_id, stage_run_id, attempt, logged_at, level, message) SELECT run_id, stage_run_id, 1, COALESCE(started_at, 0), 'info', 'published 1,000 rows as commit ' || stage_run_id FROM workflows_stage_runs
            """),
        ("500 feature groups with 520,000 commits; 50,000 rows in quarantine",
            $$"""
            INSERT INTO feature_store_feature_groups (feature_group, version, fingerprint, schema_revision, description, written_by, columns_json, created_at)
            SELECT {{Group("i")}}, 1, 'f', 1, 'What group ' || i || ' is about', {{Group("i")}}, '{{Columns}}', {{Start}} FROM n WHERE i < 500;
            INSERT INTO workflows_watermarks (pipeline, input, event_time, processed_seq) SELECT {{Group("i")}}, '', {{Start}} + 500000 * {{Hour}} / 100, 1 FROM n WHERE i < 500;
            INSERT INTO feature_store_commits (commit_id, feature_group, version, kind, window_from, window_to, base_seq, run_id, stage, state, published_seq, published_at, created_at, rows, new_rows, rows_computed, rows_quarantined, min_event_time, max_event_time, statistics_json, expectations, code_version)
            SELECT c, {{Group("g")}}, 1, 'replace', {{Start}} + h * {{Hour}}, {{Start}} + (h + 1) * {{Hour}}, c - 1, MIN(2 * c, {{LargeStore.Runs}} - 5), {{Group("g")}}, 'published', c, {{Start}} + MIN(2 * c, {{LargeStore.Runs}}) * {{RunEvery}}, 0, 1000, 1000, 1000,
                   CASE WHEN g = 3 THEN 50 ELSE 0 END, {{Start}} + h * {{Hour}}, {{Start}} + (h + 1) * {{Hour}} - 1, '{{Statistics}}', '[{"rule":"delay1h is at least -60","outcome":"quarantine","violations":0,"first":""}]', 'x'
            FROM (SELECT 500 * a.i + b.i + 1 AS c, b.i AS g, a.i AS h FROM n a CROSS JOIN n b WHERE b.i < 500
                  UNION ALL SELECT 500000 + 1000 * a.i + b.i + 1, 0, 1000 + 1000 * a.i + b.i FROM n a CROSS JOIN n b WHERE a.i < 20);
            INSERT INTO feature_store_commit_inputs (commit_id, feature_group, version, as_of_seq, window_from, window_to) SELECT commit_id, 'group_001', 1, published_seq - 1, window_from, window_to FROM feature_store_commits;
            INSERT INTO feature_store_quarantine (commit_id, row_json, rule_name, reason, quarantined_at)
            SELECT c.commit_id, '{"airport":"ATL","delay1h":-99}', 'delay1h is at least -60', 'is -99', c.published_at FROM feature_store_commits c CROSS JOIN n WHERE c.feature_group = 'group_003' AND n.i < 50;
            UPDATE feature_store_publication_clock SET seq = (SELECT MAX(published_seq) FROM feature_store_commits), published_at = {{Start}}
            """),
        ("50 models with 10,000 versions",
            $$"""
            INSERT INTO model_registry_models (model, task, created_at) SELECT {{Model("i")}}, 'binary', {{Start}} FROM n WHERE i < 50;
            INSERT INTO model_registry_versions (model, version, pipeline, task, trainer, parameters, dataset_id, feature_view, view_version, view_fingerprint, cut_off, training_from, training_to, holdout_from, holdout_to, training_rows, holdout_rows,
                metrics, baseline_metrics, primary_metric, primary_value, baseline_value, signature, feature_importance, artifact_sha256, content_sha256, promotion, run_id, code_version, published_seq, created_at)
            SELECT {{Model("m.i")}}, v.i, 'delay-training', 'binary', 'LightGbm', '{"trainer":"LightGbm"}', v.i, 'delay', 1, 'f', {{Start}}, {{Start}}, {{Start}}, {{Start}}, {{Start}}, 500000, 100000,
                '{"rows":100000,"auc":0.77,"log_loss":0.42,"roc":[0,0.3,0.6,0.8,1]}', '{}', 'auc', 0.7 + v.i % 70 / 1000.0, 0.712, '{}', '{"late":0.6,"delay1h":0.4}', 'a', 'c', 'promoted', v.i, 'x', v.i, {{Start}} + v.i * {{Hour}}
            FROM n m CROSS JOIN n v WHERE m.i < 50 AND v.i BETWEEN 1 AND 200;
            INSERT INTO model_registry_aliases (model, alias, version, changed_at, changed_by, reason) SELECT {{Model("i")}}, 'champion', 200, {{Start}}, 'run 1', 'better' FROM n WHERE i < 50;
            INSERT INTO model_registry_alias_history (model, alias, version, changed_at, changed_by, reason) SELECT {{Model("m.i")}}, 'champion', v.i, {{Start}}, 'run 1', 'better' FROM n m CROSS JOIN n v WHERE m.i < 50 AND v.i BETWEEN 1 AND 200;
            INSERT INTO prediction_log_metrics (pipeline, model, version, day, metric, metric_value, predictions, outcomes, computed_at)
            SELECT 'delay-scoring', 'flight-delay', 1 + d.i / 4, {{Start}} + d.i * 24 * {{Hour}}, CASE m.i WHEN 0 THEN 'auc' WHEN 1 THEN 'log_loss' WHEN 2 THEN 'brier' ELSE 'metric' || m.i END, 0.75, 24000, 24000, 0 FROM n d CROSS JOIN n m WHERE d.i < 800 AND m.i < 8;
            INSERT INTO prediction_log_drift (pipeline, model, version, day, feature, psi, rows, computed_at)
            SELECT 'delay-scoring', 'flight-delay', 1 + d.i / 4, {{Start}} + d.i * 24 * {{Hour}}, 'feature' || f.i, 0.05, 24000, 0 FROM n d CROSS JOIN n f WHERE d.i < 800 AND f.i < 30
            """),
        ("9,000 batches and 1,000 of online answers",
            $"""
            INSERT INTO prediction_log_batches (batch_id, pipeline, role, model, version, feature_view, view_version, window_from, window_to, as_of_seq, predicted_at, state, published_seq, published_at, rows, score_bins, positive_share, run_id, code_version)
            SELECT b, 'delay-scoring', CASE WHEN b % 10 = 3 AND o = 0 THEN 'challenger' ELSE 'champion' END, CASE WHEN b < 20 THEN 'model_007' ELSE 'flight-delay' END, 1 + b / 50, 'delay', 1, {Start} + b * {Hour}, {Start} + (b + 1) * {Hour}, b, {Start} + b * {Hour},
                   CASE o WHEN 0 THEN 'published' ELSE 'online' END, CASE o WHEN 0 THEN b END, CASE o WHEN 0 THEN {Start} + b * {Hour} END, CASE o WHEN 0 THEN 1000 ELSE 0 END,
                   CASE o WHEN 0 THEN '{"{"}"from":0,"to":1,"counts":[10,20,30,20,10,5,2,1,1,1,0,0,0,0,0,0,0,0,0,0]{"}"}' END, 0.2, CASE o WHEN 0 THEN b * 100 END, 'x'
            FROM (SELECT 1000 * a.i + c.i + 1 AS b, a.i >= 9 AS o FROM n a CROSS JOIN n c WHERE a.i < 10);
            INSERT INTO prediction_log_superseded (batch_id, by_batch_id, window_from, window_to) SELECT batch_id, batch_id + 1, window_from, window_to FROM prediction_log_batches WHERE batch_id % 20 = 5 AND state = 'published'
            """),
        ("9,000,000 predictions",
            """
            INSERT INTO prediction_log_prediction_rows (batch_id, ordinal, entity_key, event_time, score, probability, label, output, feature_hash)
            SELECT b.batch_id, n.i, '[' || ((b.batch_id * 1000 + n.i) * 7919 % 2000000) || ']', b.window_from + n.i * 3600000, 0.1, n.i / 1000.0, 'true', '{"warn":true}', b.batch_id * 1000 + n.i
            FROM prediction_log_batches b CROSS JOIN n WHERE b.state = 'published'
            """),
        ("1,000,000 online answers",
            """
            INSERT INTO prediction_log_online_rows (batch_id, ordinal, item, request_id, entity_key, event_time, predicted_at, as_of_seq, score, probability, output, inputs, features, missing, feature_hash)
            SELECT b.batch_id, n.i, 0, 'request ' || (b.batch_id * 1000 + n.i), '[' || ((b.batch_id * 1000 + n.i) * 7919 % 2000000) || ']', b.window_from + n.i * 3600000, b.window_from + n.i * 3600000, 7, 0.1, 0.5, '{"warn":true}', '{"airport":"ATL"}', '{"late":1}', '[]', 0
            FROM prediction_log_batches b CROSS JOIN n WHERE b.state = 'online'
            """),
        ("100,000 outcomes, of the newest batches",
            """
            INSERT OR IGNORE INTO prediction_log_outcomes (feature_view, entity_key, event_time, actual, actual_at, known_seq)
            SELECT 'delay', entity_key, event_time, 1, event_time, 1 FROM prediction_log_prediction_rows WHERE batch_id > 8900
            """),
    ];

    private static string Workflow(string number) => $"CASE {number} WHEN 0 THEN 'flight-delays' WHEN 20 THEN 'seldom' ELSE printf('workflow-%02d', {number}) END";

    private static string Group(string number) => $"printf('group_%03d', {number})";

    private static string Model(string number) => $"CASE {number} WHEN 0 THEN 'flight-delay' ELSE printf('model_%03d', {number}) END";
}
