namespace AiWorkflows.Tests.Compliance.Simulation;

/// <summary>Those invariants of EXECUTION that the ledger itself shows, as queries whose rows are violations.</summary>
internal static class LedgerInvariants
{
    /// <summary>What must hold between any two transactions.</summary>
    /// <param name="cap">Steps of a run that may run at a time.</param>
    public static string Broken(int cap) => $$"""
        SELECT 'I1 a stage run has two visible commits' AS violation FROM {feature_store.commits} WHERE state IN ('sealed', 'published') GROUP BY stage_run_id HAVING COUNT(*) > 1
        UNION ALL SELECT 'I1 a visible commit is not of the attempt that won' FROM {feature_store.commits} c JOIN {workflows.stage_runs} s ON s.stage_run_id = c.stage_run_id
            WHERE c.state IN ('sealed', 'published') AND (s.state <> 'succeeded' OR s.attempt <> c.attempt)
        UNION ALL SELECT 'I1 a slice is visible although its publish step has not succeeded' FROM {feature_store.commits} c JOIN {workflows.stage_runs} s ON s.stage_run_id = c.stage_run_id
            WHERE c.state = 'published' AND s.partitions > 1
              AND NOT EXISTS (SELECT 1 FROM {workflows.run_edges} e JOIN {workflows.stage_runs} p ON p.run_id = e.run_id AND p.step = e.step
                  WHERE e.run_id = s.run_id AND e.after_step = s.step AND p.stage = s.stage AND p.state = 'succeeded')
        UNION ALL SELECT 'I1 a publish step has left a slice behind' FROM {feature_store.commits} c JOIN {workflows.stage_runs} s ON s.stage_run_id = c.stage_run_id
            JOIN {workflows.stage_runs} p ON p.run_id = s.run_id AND p.stage = s.stage AND p.kind = 'control'
            WHERE c.state = 'sealed' AND p.state = 'succeeded'
        UNION ALL SELECT 'I1 slices of one step are visible under two sequences' FROM {feature_store.commits} c JOIN {workflows.stage_runs} s ON s.stage_run_id = c.stage_run_id
            WHERE c.state = 'published' AND s.partitions > 1 GROUP BY s.run_id, s.step HAVING MIN(c.published_seq) < MAX(c.published_seq)
        UNION ALL SELECT 'I1 the result of a slice has vanished' FROM {workflows.stage_runs} s
            WHERE s.partitions > 1 AND s.state = 'succeeded'
              AND NOT EXISTS (SELECT 1 FROM {feature_store.commits} c WHERE c.stage_run_id = s.stage_run_id AND c.attempt = s.attempt AND (c.state IN ('sealed', 'published')
                  OR EXISTS (SELECT 1 FROM {workflows.stage_runs} p WHERE p.run_id = s.run_id AND p.stage = s.stage AND p.kind = 'control' AND p.state = 'succeeded')))
        UNION ALL SELECT 'I6 partitions of a step read as of different sequences' FROM {workflows.stage_runs}
            WHERE partitions > 1 AND state IN ('running', 'succeeded') GROUP BY run_id, step HAVING MIN(as_of_seq) < MAX(as_of_seq)
        UNION ALL SELECT 'I7 an ended run has an open step' FROM {workflows.runs} r JOIN {workflows.stage_runs} s ON s.run_id = r.run_id
            WHERE r.state IN ('succeeded', 'failed', 'cancelled') AND s.state IN ('pending', 'running')
        UNION ALL SELECT 'I8 too many running runs' FROM {workflows.runs} r JOIN {workflows.workflows} w ON w.workflow = r.workflow
            WHERE r.state = 'running' AND r.backfill_id IS NULL GROUP BY r.workflow, w.max_running HAVING COUNT(*) > w.max_running
        UNION ALL SELECT 'I8 too many running windows of a backfill' FROM {workflows.runs} r JOIN {workflows.backfills} b ON b.backfill_id = r.backfill_id
            WHERE r.state = 'running' GROUP BY r.backfill_id, b.parallel HAVING COUNT(*) > b.parallel
        UNION ALL SELECT 'I8 too many running steps' FROM {workflows.stage_runs} WHERE state = 'running' GROUP BY run_id HAVING COUNT(*) > {{cap}}
        UNION ALL SELECT 'I9 too many failures or losses' FROM {workflows.stage_runs} WHERE failures > max_failures OR lost > 10
        UNION ALL SELECT 'an attempt that ended in success is not the last one' FROM {workflows.attempts} a JOIN {workflows.stage_runs} s ON s.stage_run_id = a.stage_run_id
            WHERE a.outcome = 'succeeded' AND (s.state <> 'succeeded' OR s.attempt <> a.attempt)
        UNION ALL SELECT 'a running step has no open attempt' FROM {workflows.stage_runs} s
            WHERE s.state = 'running' AND NOT EXISTS (SELECT 1 FROM {workflows.attempts} a WHERE a.stage_run_id = s.stage_run_id AND a.attempt = s.attempt AND a.outcome IS NULL)
        UNION ALL SELECT 'an open attempt is not the one that is running' FROM {workflows.attempts} a JOIN {workflows.stage_runs} s ON s.stage_run_id = a.stage_run_id
            WHERE a.outcome IS NULL AND (s.state <> 'running' OR s.attempt <> a.attempt)
        UNION ALL SELECT 'I2 a commit was published into an ended run' FROM {feature_store.commits} c JOIN {workflows.attempts} a ON a.stage_run_id = c.stage_run_id AND a.attempt = c.attempt
            WHERE c.state = 'published' AND a.outcome <> 'succeeded'
        UNION ALL SELECT 'I5 two stages have published under one sequence' FROM {feature_store.commits}
            WHERE state = 'published' GROUP BY published_seq HAVING MIN(run_id) < MAX(run_id) OR MIN(stage) < MAX(stage)
        UNION ALL SELECT 'a commit replaced what it had not seen' FROM {feature_store.commits} c JOIN {feature_store.commits} o ON o.feature_group = c.feature_group AND o.version = c.version
            WHERE c.state = 'published' AND c.kind = 'replace' AND o.state = 'published' AND o.published_seq > c.base_seq AND o.published_seq < c.published_seq
              AND o.rows + o.tombstones > 0 AND o.min_event_time < c.window_to AND o.max_event_time >= c.window_from
        """;

    /// <summary>What must hold besides once no fault is left to recover from.</summary>
    public const string NotAtRest = """
        SELECT 'I12 a run has not ended' AS violation FROM {workflows.runs} WHERE state IN ('requested', 'running')
        UNION ALL SELECT 'I10 a commit was neither published nor collected' FROM {feature_store.commits} WHERE state NOT IN ('published', 'collected')
        UNION ALL SELECT 'I10 a batch was neither published nor collected' FROM {prediction_log.batches} WHERE state NOT IN ('published', 'collected')
        UNION ALL SELECT 'an attempt has no outcome' FROM {workflows.attempts} WHERE outcome IS NULL
        UNION ALL SELECT 'I4 a step started before its predecessor had ended' FROM {workflows.run_edges} e
            JOIN {workflows.stage_runs} s ON s.run_id = e.run_id AND s.step = e.step JOIN {workflows.stage_runs} p ON p.run_id = e.run_id AND p.step = e.after_step
            WHERE s.state = 'succeeded' AND p.state = 'succeeded' AND s.started_at < p.finished_at
        UNION ALL SELECT 'I3 the attempts of a step are not numbered from 1 on' FROM {workflows.attempts} GROUP BY stage_run_id HAVING MIN(attempt) <> 1 OR MAX(attempt) <> COUNT(*)
        UNION ALL SELECT 'I6 the partitions of a step read as of different sequences' FROM {workflows.stage_runs} WHERE state = 'succeeded' GROUP BY run_id, step HAVING COUNT(DISTINCT as_of_seq) > 1
        """;
}
