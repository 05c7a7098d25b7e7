-- What lists of runs are narrowed to: a workflow, or the few runs that are in trouble.
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO
CREATE INDEX ix_runs_workflow ON workflows.runs (workflow, run_id);
CREATE INDEX ix_runs_troubled ON workflows.runs (state, run_id) WHERE state IN (N'failed', N'cancelled');
GO
-- The sums of a group are those of its commits, added up without their statistics.
CREATE INDEX ix_commits_sums ON feature_store.commits (feature_group, version, published_seq) INCLUDE (new_rows, rows_quarantined, max_event_time, published_at);
