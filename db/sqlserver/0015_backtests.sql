-- Backtests: backfills that retrain in each window and predict with what they have trained, beside the workflow's own models and predictions.
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO

ALTER TABLE workflows.backfills ADD backtest bit NOT NULL DEFAULT 0;
GO
