-- Backfills: the versions of models that somebody asked for, and a way to the windows of a backfill that are in one state.
ALTER TABLE workflows_backfills ADD COLUMN models TEXT NULL;      -- 'name=version', sorted, with commas between; null: the champions of the moment

CREATE INDEX ix_runs_backfill_state ON workflows_runs (backfill_id, state) WHERE backfill_id IS NOT NULL;
