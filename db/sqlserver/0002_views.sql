-- The views that people query; docs/sql.md documents them. Times are datetime2(6) in UTC.
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO

-- Every published prediction. Not documented: the others are made of it.
-- prediction_id = batch_id * 2^32 + ordinal.
CREATE VIEW prediction_log.published AS
SELECT r.batch_id * CAST(4294967296 AS bigint) + r.ordinal AS prediction_id,
       b.model, b.version, r.entity_key, r.event_time, b.predicted_at,
       r.score, r.label, r.probability, r.output, b.run_id, CAST(NULL AS nvarchar(64)) AS request_id,
       b.batch_id, b.pipeline, b.role, b.feature_view, b.hindsight, b.as_of_seq, r.event_time AS event_instant
FROM prediction_log.batches b
JOIN prediction_log.prediction_rows r ON r.batch_id = b.batch_id
WHERE b.state = N'published';
GO

-- Every prediction ever published.
CREATE VIEW prediction_log.predictions_all AS
SELECT prediction_id, model, version, entity_key, event_time, predicted_at, score, label, probability, output, run_id, request_id,
       batch_id, pipeline, role, feature_view, hindsight, as_of_seq
FROM prediction_log.published;
GO

-- The current ones, role champion: per event time those of the batch that has not been superseded.
CREATE VIEW prediction_log.predictions AS
SELECT p.prediction_id, p.model, p.version, p.entity_key, p.event_time, p.predicted_at, p.score, p.label, p.probability, p.output, p.run_id, p.request_id,
       p.batch_id, p.pipeline, p.role, p.feature_view, p.hindsight, p.as_of_seq
FROM prediction_log.published p
WHERE p.role = N'champion'
  AND NOT EXISTS (SELECT 1 FROM prediction_log.superseded x WHERE x.batch_id = p.batch_id AND x.window_from <= p.event_instant AND x.window_to > p.event_instant);
GO

-- The current predictions whose outcome is known.
CREATE VIEW prediction_log.scored AS
SELECT p.prediction_id, p.model, p.version, p.entity_key, p.event_time, p.predicted_at, p.score, p.label, p.probability, p.output, p.run_id, p.request_id,
       p.batch_id, p.pipeline, p.role, p.feature_view, p.hindsight, p.as_of_seq,
       o.actual, o.actual_text, o.actual_at
FROM prediction_log.published p
JOIN prediction_log.outcomes o ON o.feature_view = p.feature_view AND o.entity_key = p.entity_key AND o.event_time = p.event_instant
WHERE p.role = N'champion'
  AND NOT EXISTS (SELECT 1 FROM prediction_log.superseded x WHERE x.batch_id = p.batch_id AND x.window_from <= p.event_instant AND x.window_to > p.event_instant);
