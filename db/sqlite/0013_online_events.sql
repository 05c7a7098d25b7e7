-- What still waits for its outcome is looked for by event time.
CREATE INDEX ix_online_rows_event ON prediction_log_online_rows (event_time);

-- Answers come in no order of their entities, and each would change another page of an index by entity, which has to be on the disk before anybody is answered. In eight
-- parts, by a character of the key, the index grows at eight places only; one part is read to find an entity.
DROP INDEX ix_online_rows_key;
CREATE INDEX ix_online_rows_key ON prediction_log_online_rows (unicode(substr(entity_key, -3)) % 8, batch_id, ordinal, entity_key);
