-- Streams: events that were taken in and wait, and who works on each partition. What has become of the events is in the feature groups; there is no other state.
CREATE TABLE workflows_stream_partitions (
    stream            TEXT    NOT NULL,
    partition_no      INTEGER NOT NULL,
    committed_offset  INTEGER NOT NULL DEFAULT 0,     -- of the last event whose rows are published
    max_event_time    INTEGER NULL,                   -- the latest among them
    owner             TEXT    NULL,                   -- the worker that has claimed the partition
    host              TEXT    NULL,
    epoch             INTEGER NOT NULL DEFAULT 0,     -- counts the claims: the fence of every publication
    lease_until       INTEGER NULL,
    events            INTEGER NOT NULL DEFAULT 0,
    late_events       INTEGER NOT NULL DEFAULT 0,
    duplicate_events  INTEGER NOT NULL DEFAULT 0,
    refused_events    INTEGER NOT NULL DEFAULT 0,
    error             TEXT    NULL,                   -- why it does not go on
    updated_at        INTEGER NOT NULL,
    PRIMARY KEY (stream, partition_no)
) STRICT, WITHOUT ROWID;

-- Where the next event goes: apart from the partitions, so that taking in and publishing do not wait for each other.
CREATE TABLE workflows_stream_heads (
    stream        TEXT    NOT NULL,
    partition_no  INTEGER NOT NULL,
    head_offset   INTEGER NOT NULL DEFAULT 0,         -- of the last event that was taken in
    PRIMARY KEY (stream, partition_no)
) STRICT, WITHOUT ROWID;

-- Events in the order in which they were taken in. Those that are published are kept for a while.
CREATE TABLE workflows_stream_events (
    stream        TEXT    NOT NULL,
    partition_no  INTEGER NOT NULL,
    event_offset  INTEGER NOT NULL,                   -- from 1, without gaps
    received_at   INTEGER NOT NULL,
    payload       TEXT    NOT NULL,                   -- JSON by column name
    PRIMARY KEY (stream, partition_no, event_offset)
) STRICT, WITHOUT ROWID;

-- Requests that named themselves: the same one again brings nothing new.
CREATE TABLE workflows_stream_requests (
    stream           TEXT    NOT NULL,
    idempotency_key  TEXT    NOT NULL,
    events           INTEGER NOT NULL,
    received_at      INTEGER NOT NULL,
    PRIMARY KEY (stream, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_stream_requests_received ON workflows_stream_requests (received_at);

-- How far each part of a source has been read; moves in the transaction that takes its events in.
CREATE TABLE workflows_stream_sources (
    stream         TEXT    NOT NULL,
    source_no      INTEGER NOT NULL,
    source_offset  TEXT    NULL,                      -- as the source names it
    owner          TEXT    NULL,
    host           TEXT    NULL,
    epoch          INTEGER NOT NULL DEFAULT 0,
    lease_until    INTEGER NULL,
    error          TEXT    NULL,
    updated_at     INTEGER NOT NULL,
    PRIMARY KEY (stream, source_no)
) STRICT, WITHOUT ROWID;

-- Who works on streams at all: partitions are spread evenly over these.
CREATE TABLE workflows_stream_workers (
    owner        TEXT    NOT NULL PRIMARY KEY,
    host         TEXT    NOT NULL,
    lease_until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What happened in each minute of the last day.
CREATE TABLE workflows_stream_minutes (
    stream            TEXT    NOT NULL,
    partition_no      INTEGER NOT NULL,
    minute_at         INTEGER NOT NULL,
    events            INTEGER NOT NULL,
    late_events       INTEGER NOT NULL,
    duplicate_events  INTEGER NOT NULL,
    written_rows      INTEGER NOT NULL,
    batches           INTEGER NOT NULL,
    lag_ms            INTEGER NOT NULL,               -- the longest from being taken in to being published
    PRIMARY KEY (stream, partition_no, minute_at)
) STRICT, WITHOUT ROWID;
