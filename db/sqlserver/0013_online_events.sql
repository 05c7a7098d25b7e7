-- What still waits for its outcome is looked for by event time.
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO

CREATE INDEX ix_online_rows_event ON prediction_log.online_rows (event_time);
