-- Stages that are split into slices of event time.
ALTER TABLE workflows_stage_runs ADD COLUMN window_from INTEGER NULL;  -- of the slice; null, as window_to: the step has the run's window
ALTER TABLE workflows_stage_runs ADD COLUMN window_to INTEGER NULL;

-- What a decision about a run looks at, so that its cost does not grow with the number of partitions.
CREATE INDEX ix_stage_runs_first ON workflows_stage_runs (run_id, ordinal, step) WHERE partition = 0;
CREATE INDEX ix_stage_runs_waiting ON workflows_stage_runs (run_id, step, partition) WHERE state = 'pending' AND dispatched_at IS NULL;
CREATE INDEX ix_stage_runs_dispatched ON workflows_stage_runs (run_id, dispatched_at) WHERE state = 'pending' AND dispatched_at IS NOT NULL;
