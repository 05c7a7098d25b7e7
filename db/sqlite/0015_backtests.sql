-- Backtests: backfills that retrain in each window and predict with what they have trained, beside the workflow's own models and predictions.
ALTER TABLE workflows_backfills ADD COLUMN backtest INTEGER NOT NULL DEFAULT 0;
