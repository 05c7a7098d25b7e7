-- Predictions that were answered one by one. Each host opens a batch per pipeline, role and model version, in the state 'online', and numbers its rows;
-- what exists nowhere else is kept with each row: the spine row and the features that the model saw.
CREATE TABLE prediction_log_online_rows (
    batch_id      INTEGER NOT NULL,
    ordinal       INTEGER NOT NULL,
    request_id    TEXT    NULL,                       -- given by the client: the same request is answered and logged once
    item          INTEGER NOT NULL,                   -- place of the instance in its request
    answers       INTEGER NULL,                       -- of a shadow: the prediction that was answered in its place
    entity_key    TEXT    NOT NULL,                   -- JSON array of the spine's keys
    event_time    INTEGER NOT NULL,                   -- the moment of which the features were known
    predicted_at  INTEGER NOT NULL,
    as_of_seq     INTEGER NOT NULL,
    score         REAL    NULL,
    probability   REAL    NULL,
    label         TEXT    NULL,
    output        TEXT    NOT NULL,                   -- JSON of the prediction that Decide returned
    inputs        TEXT    NOT NULL,                   -- JSON of the spine row
    features      TEXT    NOT NULL,                   -- JSON of the example
    missing       TEXT    NOT NULL,                   -- JSON array: joins that found no row
    feature_hash  INTEGER NOT NULL,                   -- XxHash3 of the canonical feature vector
    PRIMARY KEY (batch_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX ux_online_rows_request ON prediction_log_online_rows (request_id, item) WHERE request_id IS NOT NULL;
CREATE INDEX ix_online_rows_key ON prediction_log_online_rows (entity_key);
CREATE INDEX ix_online_rows_predicted ON prediction_log_online_rows (predicted_at);
CREATE INDEX ix_batches_online ON prediction_log_batches (batch_id) WHERE state = 'online';

DROP VIEW prediction_log_scored;
DROP VIEW prediction_log_predictions;
DROP VIEW prediction_log_predictions_all;
DROP VIEW prediction_log_published;

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
       b.batch_id, b.pipeline, b.role, b.feature_view, b.hindsight, b.as_of_seq, r.event_time AS event_instant, 0 AS online
FROM prediction_log_batches b
JOIN prediction_log_prediction_rows r ON r.batch_id = b.batch_id
WHERE b.state = 'published'
UNION ALL
SELECT r.batch_id * 4294967296 + r.ordinal,
       b.model, b.version, r.entity_key,
       strftime('%Y-%m-%dT%H:%M:%S', r.event_time / 1000000 - (r.event_time % 1000000 < 0), 'unixepoch')
           || printf('.%06dZ', r.event_time % 1000000 + (r.event_time % 1000000 < 0) * 1000000),
       strftime('%Y-%m-%dT%H:%M:%S', r.predicted_at / 1000000 - (r.predicted_at % 1000000 < 0), 'unixepoch')
           || printf('.%06dZ', r.predicted_at % 1000000 + (r.predicted_at % 1000000 < 0) * 1000000),
       r.score, r.label, r.probability, r.output, NULL, r.request_id,
       b.batch_id, b.pipeline, b.role, b.feature_view, b.hindsight, r.as_of_seq, r.event_time, 1
FROM prediction_log_batches b
JOIN prediction_log_online_rows r ON r.batch_id = b.batch_id
WHERE b.state = 'online';

-- Every prediction ever published.
CREATE VIEW prediction_log_predictions_all AS
SELECT prediction_id, model, version, entity_key, event_time, predicted_at, score, label, probability, output, run_id, request_id,
       batch_id, pipeline, role, feature_view, hindsight, as_of_seq
FROM prediction_log_published;

-- The current ones, role champion: per event time those of the batch that has not been superseded, and what was answered online, by a challenger too.
CREATE VIEW prediction_log_predictions AS
SELECT p.prediction_id, p.model, p.version, p.entity_key, p.event_time, p.predicted_at, p.score, p.label, p.probability, p.output, p.run_id, p.request_id,
       p.batch_id, p.pipeline, p.role, p.feature_view, p.hindsight, p.as_of_seq
FROM prediction_log_published p
WHERE (p.role = 'champion' OR (p.online = 1 AND p.role = 'challenger'))
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
WHERE (p.role = 'champion' OR (p.online = 1 AND p.role = 'challenger'))
  AND NOT EXISTS (SELECT 1 FROM prediction_log_superseded x WHERE x.batch_id = p.batch_id AND x.window_from <= p.event_instant AND x.window_to > p.event_instant);
