-- Backfills: the versions of models that somebody asked for, and a way to the windows of a backfill that are in one state.
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO
ALTER TABLE workflows.backfills ADD models nvarchar(1000) COLLATE Latin1_General_100_BIN2 NULL;      -- 'name=version', sorted, with commas between; null: the champions of the moment
GO

CREATE INDEX ix_runs_backfill_state ON workflows.runs (backfill_id, state) WHERE backfill_id IS NOT NULL;
