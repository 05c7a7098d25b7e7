-- Predictions that were answered one by one. Each host opens a batch per pipeline, role and model version, in the state 'online', and numbers its rows;
-- what exists nowhere else is kept with each row: the spine row and the features that the model saw.
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO

CREATE TABLE prediction_log.online_rows (
    batch_id      bigint                                        NOT NULL,
    ordinal       int                                           NOT NULL,
    request_id    nvarchar(64) COLLATE Latin1_General_100_BIN2  NULL,                        -- given by the client: the same request is answered and logged once
    item          int                                           NOT NULL,                    -- place of the instance in its request
    answers       bigint                                        NULL,                        -- of a shadow: the prediction that was answered in its place
    entity_key    nvarchar(700) COLLATE Latin1_General_100_BIN2 NOT NULL,                    -- JSON array of the spine's keys
    event_time    datetime2(6)                                  NOT NULL,                    -- the moment of which the features were known
    predicted_at  datetime2(6)                                  NOT NULL,
    as_of_seq     bigint                                        NOT NULL,
    score         float                                         NULL,
    probability   float                                         NULL,
    label         nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
    output        nvarchar(max)                                 NOT NULL,                    -- JSON of the prediction that Decide returned
    inputs        nvarchar(max)                                 NOT NULL,                    -- JSON of the spine row
    features      nvarchar(max)                                 NOT NULL,                    -- JSON of the example
    missing       nvarchar(max)                                 NOT NULL,                    -- JSON array: joins that found no row
    feature_hash  bigint                                        NOT NULL,                    -- XxHash3 of the canonical feature vector
    CONSTRAINT pk_online_rows PRIMARY KEY CLUSTERED (batch_id, ordinal)
);
CREATE UNIQUE INDEX ux_online_rows_request ON prediction_log.online_rows (request_id, item) WHERE request_id IS NOT NULL;
CREATE INDEX ix_online_rows_key ON prediction_log.online_rows (entity_key);
CREATE INDEX ix_online_rows_predicted ON prediction_log.online_rows (predicted_at);
CREATE INDEX ix_batches_online ON prediction_log.batches (batch_id) WHERE state = N'online';
GO

DROP VIEW prediction_log.scored;
GO
DROP VIEW prediction_log.predictions;
GO
DROP VIEW prediction_log.predictions_all;
GO
DROP VIEW prediction_log.published;
GO

-- Every published prediction. Not documented: the others are made of it.
-- prediction_id = batch_id * 2^32 + ordinal.
CREATE VIEW prediction_log.published AS
SELECT r.batch_id * CAST(4294967296 AS bigint) + r.ordinal AS prediction_id,
       b.model, b.version, r.entity_key, r.event_time, b.predicted_at,
       r.score, r.label, r.probability, r.output, b.run_id, CAST(NULL AS nvarchar(64)) AS request_id,
       b.batch_id, b.pipeline, b.role, b.feature_view, b.hindsight, b.as_of_seq, r.event_time AS event_instant, 0 AS online
FROM prediction_log.batches b
JOIN prediction_log.prediction_rows r ON r.batch_id = b.batch_id
WHERE b.state = N'published'
UNION ALL
SELECT r.batch_id * CAST(4294967296 AS bigint) + r.ordinal,
       b.model, b.version, r.entity_key, r.event_time, r.predicted_at,
       r.score, r.label, r.probability, r.output, CAST(NULL AS bigint), r.request_id,
       b.batch_id, b.pipeline, b.role, b.feature_view, b.hindsight, r.as_of_seq, r.event_time, 1
FROM prediction_log.batches b
JOIN prediction_log.online_rows r ON r.batch_id = b.batch_id
WHERE b.state = N'online';
GO

-- Every prediction ever published.
CREATE VIEW prediction_log.predictions_all AS
SELECT prediction_id, model, version, entity_key, event_time, predicted_at, score, label, probability, output, run_id, request_id,
       batch_id, pipeline, role, feature_view, hindsight, as_of_seq
FROM prediction_log.published;
GO

-- The current ones, role champion: per event time those of the batch that has not been superseded, and what was answered online, by a challenger too.
CREATE VIEW prediction_log.predictions AS
SELECT p.prediction_id, p.model, p.version, p.entity_key, p.event_time, p.predicted_at, p.score, p.label, p.probability, p.output, p.run_id, p.request_id,
       p.batch_id, p.pipeline, p.role, p.feature_view, p.hindsight, p.as_of_seq
FROM prediction_log.published p
WHERE (p.role = N'champion' OR (p.online = 1 AND p.role = N'challenger'))
  AND NOT EXISTS (SELECT 1 FROM prediction_log.superseded x WHERE x.batch_id = p.batch_id AND x.window_from <= p.event_instant AND x.window_to > p.event_instant);
GO

-- The current predictions whose outcome is known.
CREATE VIEW prediction_log.scored AS
SELECT p.prediction_id, p.model, p.version, p.entity_key, p.event_time, p.predicted_at, p.score, p.label, p.probability, p.output, p.run_id, p.request_id,
       p.batch_id, p.pipeline, p.role, p.feature_view, p.hindsight, p.as_of_seq,
       o.actual, o.actual_text, o.actual_at
FROM prediction_log.published p
JOIN prediction_log.outcomes o ON o.feature_view = p.feature_view AND o.entity_key = p.entity_key AND o.event_time = p.event_instant
WHERE (p.role = N'champion' OR (p.online = 1 AND p.role = N'challenger'))
  AND NOT EXISTS (SELECT 1 FROM prediction_log.superseded x WHERE x.batch_id = p.batch_id AND x.window_from <= p.event_instant AND x.window_to > p.event_instant);
