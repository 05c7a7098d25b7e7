-- Stages that are split into slices of event time.
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO

ALTER TABLE workflows.stage_runs ADD window_from datetime2(6) NULL;  -- of the slice; null, as window_to: the step has the run's window
ALTER TABLE workflows.stage_runs ADD window_to   datetime2(6) NULL;
GO

-- What a decision about a run looks at, so that its cost does not grow with the number of partitions.
CREATE INDEX ix_stage_runs_first ON workflows.stage_runs (run_id, ordinal, step) WHERE partition = 0;
CREATE INDEX ix_stage_runs_waiting ON workflows.stage_runs (run_id, step, partition) WHERE state = N'pending' AND dispatched_at IS NULL;
CREATE INDEX ix_stage_runs_dispatched ON workflows.stage_runs (run_id, dispatched_at) WHERE state = N'pending' AND dispatched_at IS NOT NULL;
GO
