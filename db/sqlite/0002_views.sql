-- The views that people query; docs/sql.md documents them. Times are ISO-8601 text in UTC, with microseconds, so that they sort as text.
-- Division and remainder round towards zero here, hence the corrections for what lies before 1970.

-- Every published prediction with its event time as people read it and as it is stored. Not documented: the others are made of it.
-- prediction_id = batch_id * 2^32 + ordinal.
CREATE VIEW prediction_log_published AS
SELECT r.batch_id * 4294967296 + r.ordinal AS prediction_id,
       b.model, b.version, r.entity_key,
       strftime('%Y-%m-%dT%H:%M:%S', r.event_time / 1000000 - (r.event_time % 1000000 < 0), 'unixepoch')
           || printf('.%06dZ', r.event_time % 1000000 + (r.event_time % 1000000 < 0) * 1000000) AS event_time,
       strftime('%Y-%m-%dT%H:%M:%S', b.predicted_at / 1000000 - (b.predicted_at % 1000000 < 0), 'unixepoch')
           || printf('.%06dZ', b.predicted_at % 1000000 + (b.predicted_at % 1000000 < 0) * 1000000) AS predicted_at,
       r.score, r.label, r.probability, r.output, b.run_id, NULL AS request_id,
       b.batch_id, b.pipeline, b.role, b.feature_view, b.hindsight, b.as_of_seq, r.event_time AS event_instant
FROM prediction_log_batches b
JOIN prediction_log_prediction_rows r ON r.batch_id = b.batch_id
WHERE b.state = 'published';

-- Every prediction ever published.
CREATE VIEW prediction_log_predictions_all AS
SELECT prediction_id, model, version, entity_key, event_time, predicted_at, score, label, probability, output, run_id, request_id,
       batch_id, pipeline, role, feature_view, hindsight, as_of_seq
FROM prediction_log_published;

-- The current ones, role champion: per event time those of the batch that has not been superseded.
CREATE VIEW prediction_log_predictions AS
SELECT p.prediction_id, p.model, p.version, p.entity_key, p.event_time, p.predicted_at, p.score, p.label, p.probability, p.output, p.run_id, p.request_id,
       p.batch_id, p.pipeline, p.role, p.feature_view, p.hindsight, p.as_of_seq
FROM prediction_log_published p
WHERE p.role = 'champion'
  AND NOT EXISTS (SELECT 1 FROM prediction_log_superseded x WHERE x.batch_id = p.batch_id AND x.window_from <= p.event_instant AND x.window_to > p.event_instant);

-- The current predictions whose outcome is known.
CREATE VIEW prediction_log_scored AS
SELECT p.prediction_id, p.model, p.version, p.entity_key, p.event_time, p.predicted_at, p.score, p.label, p.probability, p.output, p.run_id, p.request_id,
       p.batch_id, p.pipeline, p.role, p.feature_view, p.hindsight, p.as_of_seq,
       o.actual, o.actual_text,
       strftime('%Y-%m-%dT%H:%M:%S', o.actual_at / 1000000 - (o.actual_at % 1000000 < 0), 'unixepoch')
           || printf('.%06dZ', o.actual_at % 1000000 + (o.actual_at % 1000000 < 0) * 1000000) AS actual_at
FROM prediction_log_published p
JOIN prediction_log_outcomes o ON o.feature_view = p.feature_view AND o.entity_key = p.entity_key AND o.event_time = p.event_instant
WHERE p.role = 'champion'
  AND NOT EXISTS (SELECT 1 FROM prediction_log_superseded x WHERE x.batch_id = p.batch_id AND x.window_from <= p.event_instant AND x.window_to > p.event_instant);
