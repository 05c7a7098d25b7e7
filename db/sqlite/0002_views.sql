-- The views that people query; docs/sql.md documents them. Times are ISO-8601 text in UTC.

-- Every prediction ever published. prediction_id = batch_id * 2^32 + ordinal.
CREATE VIEW prediction_log_predictions_all AS
SELECT r.batch_id * 4294967296 + r.ordinal AS prediction_id,
       b.model, b.version, r.entity_key,
       strftime('%Y-%m-%dT%H:%M:%S', r.event_time / 1000000, 'unixepoch') || printf('.%06dZ', r.event_time % 1000000) AS event_time,
       strftime('%Y-%m-%dT%H:%M:%S', b.predicted_at / 1000000, 'unixepoch') || printf('.%06dZ', b.predicted_at % 1000000) AS predicted_at,
       r.score, r.label, r.probability, r.output, b.run_id, NULL AS request_id,
       b.batch_id, b.pipeline, b.role, b.view, b.hindsight, b.as_of_seq
FROM prediction_log_batches b
JOIN prediction_log_prediction_rows r ON r.batch_id = b.batch_id
WHERE b.state = 'published';

-- The current ones: per pipeline, role champion, the latest published batch whose window holds the event time;
-- one without hindsight always wins over one with.
CREATE VIEW prediction_log_predictions AS
SELECT r.batch_id * 4294967296 + r.ordinal AS prediction_id,
       b.model, b.version, r.entity_key,
       strftime('%Y-%m-%dT%H:%M:%S', r.event_time / 1000000, 'unixepoch') || printf('.%06dZ', r.event_time % 1000000) AS event_time,
       strftime('%Y-%m-%dT%H:%M:%S', b.predicted_at / 1000000, 'unixepoch') || printf('.%06dZ', b.predicted_at % 1000000) AS predicted_at,
       r.score, r.label, r.probability, r.output, b.run_id, NULL AS request_id,
       b.batch_id, b.pipeline, b.role, b.view, b.hindsight, b.as_of_seq
FROM prediction_log_batches b
JOIN prediction_log_prediction_rows r ON r.batch_id = b.batch_id
WHERE b.state = 'published' AND b.role = 'champion'
  AND NOT EXISTS (
      SELECT 1 FROM prediction_log_batches n
      WHERE n.pipeline = b.pipeline AND n.role = b.role AND n.state = 'published' AND n.batch_id <> b.batch_id
        AND n.window_from <= r.event_time AND n.window_to > r.event_time
        AND (n.hindsight < b.hindsight OR (n.hindsight = b.hindsight AND n.published_seq > b.published_seq)));

-- The current predictions whose outcome is known.
CREATE VIEW prediction_log_scored AS
SELECT r.batch_id * 4294967296 + r.ordinal AS prediction_id,
       b.model, b.version, r.entity_key,
       strftime('%Y-%m-%dT%H:%M:%S', r.event_time / 1000000, 'unixepoch') || printf('.%06dZ', r.event_time % 1000000) AS event_time,
       strftime('%Y-%m-%dT%H:%M:%S', b.predicted_at / 1000000, 'unixepoch') || printf('.%06dZ', b.predicted_at % 1000000) AS predicted_at,
       r.score, r.label, r.probability, r.output, b.run_id, NULL AS request_id,
       b.batch_id, b.pipeline, b.role, b.view, b.hindsight, b.as_of_seq,
       o.actual, o.actual_text,
       strftime('%Y-%m-%dT%H:%M:%S', o.actual_at / 1000000, 'unixepoch') || printf('.%06dZ', o.actual_at % 1000000) AS actual_at
FROM prediction_log_batches b
JOIN prediction_log_prediction_rows r ON r.batch_id = b.batch_id
JOIN prediction_log_outcomes o ON o.view = b.view AND o.entity_key = r.entity_key AND o.event_time = r.event_time
WHERE b.state = 'published' AND b.role = 'champion'
  AND NOT EXISTS (
      SELECT 1 FROM prediction_log_batches n
      WHERE n.pipeline = b.pipeline AND n.role = b.role AND n.state = 'published' AND n.batch_id <> b.batch_id
        AND n.window_from <= r.event_time AND n.window_to > r.event_time
        AND (n.hindsight < b.hindsight OR (n.hindsight = b.hindsight AND n.published_seq > b.published_seq)));
