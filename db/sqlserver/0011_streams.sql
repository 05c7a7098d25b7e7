-- Streams: events that were taken in and wait, and who works on each partition. What has become of the events is in the feature groups; there is no other state.
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO

CREATE TABLE workflows.stream_partitions (
    stream            nvarchar(64) COLLATE Latin1_General_100_BIN2       NOT NULL,
    partition_no      int                                                NOT NULL,
    committed_offset  bigint                                             NOT NULL CONSTRAINT df_stream_partitions_committed_offset DEFAULT 0,  -- of the last event whose rows are published
    max_event_time    datetime2(6)                                       NULL,  -- the latest among them
    owner             nvarchar(64) COLLATE Latin1_General_100_BIN2       NULL,  -- the worker that has claimed the partition
    host              nvarchar(128)                                      NULL,
    epoch             bigint                                             NOT NULL CONSTRAINT df_stream_partitions_epoch DEFAULT 0,  -- counts the claims: the fence of every publication
    lease_until       datetime2(6)                                       NULL,
    events            bigint                                             NOT NULL CONSTRAINT df_stream_partitions_events DEFAULT 0,
    late_events       bigint                                             NOT NULL CONSTRAINT df_stream_partitions_late_events DEFAULT 0,
    duplicate_events  bigint                                             NOT NULL CONSTRAINT df_stream_partitions_duplicate_events DEFAULT 0,
    refused_events    bigint                                             NOT NULL CONSTRAINT df_stream_partitions_refused_events DEFAULT 0,
    error             nvarchar(max)                                      NULL,  -- why it does not go on
    updated_at        datetime2(6)                                       NOT NULL,
    CONSTRAINT pk_stream_partitions PRIMARY KEY CLUSTERED (stream, partition_no)
);

-- Where the next event goes: apart from the partitions, so that taking in and publishing do not wait for each other.
CREATE TABLE workflows.stream_heads (
    stream            nvarchar(64) COLLATE Latin1_General_100_BIN2       NOT NULL,
    partition_no      int                                                NOT NULL,
    head_offset       bigint                                             NOT NULL CONSTRAINT df_stream_heads_head_offset DEFAULT 0,  -- of the last event that was taken in
    CONSTRAINT pk_stream_heads PRIMARY KEY CLUSTERED (stream, partition_no)
);

-- Events in the order in which they were taken in. Those that are published are kept for a while.
CREATE TABLE workflows.stream_events (
    stream            nvarchar(64) COLLATE Latin1_General_100_BIN2       NOT NULL,
    partition_no      int                                                NOT NULL,
    event_offset      bigint                                             NOT NULL,  -- from 1, without gaps
    received_at       datetime2(6)                                       NOT NULL,
    payload           nvarchar(max)                                      NOT NULL,  -- JSON by column name
    CONSTRAINT pk_stream_events PRIMARY KEY CLUSTERED (stream, partition_no, event_offset)
);

-- Requests that named themselves: the same one again brings nothing new.
CREATE TABLE workflows.stream_requests (
    stream            nvarchar(64) COLLATE Latin1_General_100_BIN2       NOT NULL,
    idempotency_key   nvarchar(128) COLLATE Latin1_General_100_BIN2      NOT NULL,
    events            bigint                                             NOT NULL,
    received_at       datetime2(6)                                       NOT NULL,
    CONSTRAINT pk_stream_requests PRIMARY KEY CLUSTERED (stream, idempotency_key)
);
CREATE INDEX ix_stream_requests_received ON workflows.stream_requests (received_at);

-- How far each part of a source has been read; moves in the transaction that takes its events in.
CREATE TABLE workflows.stream_sources (
    stream            nvarchar(64) COLLATE Latin1_General_100_BIN2       NOT NULL,
    source_no         int                                                NOT NULL,
    source_offset     nvarchar(1000) COLLATE Latin1_General_100_BIN2     NULL,  -- as the source names it
    owner             nvarchar(64) COLLATE Latin1_General_100_BIN2       NULL,
    host              nvarchar(128)                                      NULL,
    epoch             bigint                                             NOT NULL CONSTRAINT df_stream_sources_epoch DEFAULT 0,
    lease_until       datetime2(6)                                       NULL,
    error             nvarchar(max)                                      NULL,
    updated_at        datetime2(6)                                       NOT NULL,
    CONSTRAINT pk_stream_sources PRIMARY KEY CLUSTERED (stream, source_no)
);

-- Who works on streams at all: partitions are spread evenly over these.
CREATE TABLE workflows.stream_workers (
    owner             nvarchar(64) COLLATE Latin1_General_100_BIN2       NOT NULL,
    host              nvarchar(128)                                      NOT NULL,
    lease_until       datetime2(6)                                       NOT NULL,
    CONSTRAINT pk_stream_workers PRIMARY KEY CLUSTERED (owner)
);

-- What happened in each minute of the last day.
CREATE TABLE workflows.stream_minutes (
    stream            nvarchar(64) COLLATE Latin1_General_100_BIN2       NOT NULL,
    partition_no      int                                                NOT NULL,
    minute_at         datetime2(6)                                       NOT NULL,
    events            bigint                                             NOT NULL,
    late_events       bigint                                             NOT NULL,
    duplicate_events  bigint                                             NOT NULL,
    written_rows      bigint                                             NOT NULL,
    batches           bigint                                             NOT NULL,
    lag_ms            bigint                                             NOT NULL,  -- the longest from being taken in to being published
    CONSTRAINT pk_stream_minutes PRIMARY KEY CLUSTERED (stream, partition_no, minute_at)
);
