-- What lists of runs are narrowed to: a workflow, or the few runs that are in trouble.
CREATE INDEX ix_runs_workflow ON workflows_runs (workflow, run_id);
CREATE INDEX ix_runs_troubled ON workflows_runs (state, run_id) WHERE state IN ('failed', 'cancelled');
-- The sums of a group are those of its commits, added up without their statistics.
CREATE INDEX ix_commits_sums ON feature_store_commits (feature_group, version, published_seq, new_rows, rows_quarantined, max_event_time, published_at);
