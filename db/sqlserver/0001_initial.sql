-- The fixed tables of AiWorkflows for SQL Server 2019 and later and Azure SQL. Times are datetime2(6) in UTC, durations bigint microseconds, JSON is nvarchar(max).
-- Names and keys compare by their bytes (Latin1_General_100_BIN2), whatever the collation of the database.
-- The tables of feature groups are generated from their types and recorded in feature_store.group_schemas.

-- Filtered indexes need both, and sqlcmd starts without them.
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO

IF SCHEMA_ID(N'workflows') IS NULL EXEC (N'CREATE SCHEMA workflows');
IF SCHEMA_ID(N'feature_store') IS NULL EXEC (N'CREATE SCHEMA feature_store');
IF SCHEMA_ID(N'model_registry') IS NULL EXEC (N'CREATE SCHEMA model_registry');
IF SCHEMA_ID(N'prediction_log') IS NULL EXEC (N'CREATE SCHEMA prediction_log');
GO

-- ---------------------------------------------------------------- workflows: the ledger

CREATE TABLE workflows.workflows (
    workflow     nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    touch        bigint                                        NOT NULL DEFAULT 0,           -- updated first by every decision about admission
    max_running  int                                           NOT NULL DEFAULT 1,
    overlap      nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL DEFAULT N'queue',    -- queue | skip | parallel
    last_tick    datetime2(6)                                  NULL,
    paused_at    datetime2(6)                                  NULL,
    paused_by    nvarchar(256)                                 NULL,
    CONSTRAINT pk_workflows PRIMARY KEY CLUSTERED (workflow)
);

CREATE TABLE workflows.runs (
    run_id        bigint IDENTITY(1, 1)                         NOT NULL,
    workflow      nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    requested_by  nvarchar(256)                                 NOT NULL,
    triggered_by  nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL,                    -- schedule | manual | api | sql | backfill | data
    mode          nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL DEFAULT N'stages',  -- stages | monolith_train | monolith_infer
    catch_up      bit                                           NOT NULL DEFAULT 0,          -- 1: made by catch-up, so coverage and warm-up decide which stages are skipped
    hindsight     bit                                           NOT NULL DEFAULT 0,          -- 1: score examples from before the model's training cut-off, and flag them
    window_from   datetime2(6)                                  NOT NULL,
    window_to     datetime2(6)                                  NOT NULL,
    state         nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL,                    -- requested | running | succeeded | failed | cancelled
    requested_at  datetime2(6)                                  NOT NULL,
    started_at    datetime2(6)                                  NULL,
    finished_at   datetime2(6)                                  NULL,
    code_version  nvarchar(128) COLLATE Latin1_General_100_BIN2 NULL,
    error         nvarchar(max)                                 NULL,
    reason        nvarchar(max)                                 NULL,
    dedup_key     nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
    touch         bigint                                        NOT NULL DEFAULT 0,
    backfill_id   bigint                                        NULL,
    CONSTRAINT pk_runs PRIMARY KEY CLUSTERED (run_id)
);
CREATE UNIQUE INDEX ux_runs_dedup ON workflows.runs (workflow, dedup_key) WHERE dedup_key IS NOT NULL;
CREATE UNIQUE INDEX ux_runs_backfill ON workflows.runs (backfill_id, window_from) WHERE backfill_id IS NOT NULL;
CREATE INDEX ix_runs_window ON workflows.runs (workflow, window_from DESC);
CREATE INDEX ix_runs_open ON workflows.runs (state) WHERE state IN (N'requested', N'running');

CREATE TABLE workflows.run_edges (
    run_id      bigint                                        NOT NULL,
    step        nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    after_step  nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    CONSTRAINT pk_run_edges PRIMARY KEY CLUSTERED (run_id, step, after_step)
);

CREATE TABLE workflows.stage_runs (
    stage_run_id    bigint IDENTITY(1, 1)                         NOT NULL,
    run_id          bigint                                        NOT NULL,
    stage           nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,                  -- the pipeline's name
    step            nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,                  -- stage, stage/outcomes, stage/publish, stage/split
    kind            nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL,                  -- feature | training | inference | control
    ordinal         int                                           NOT NULL,                  -- order of execution when done one by one
    partition       int                                           NOT NULL DEFAULT 0,
    partitions      int                                           NOT NULL DEFAULT 1,
    queue           nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,
    state           nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL,                  -- pending | running | succeeded | failed | cancelled | skipped
    attempt         int                                           NOT NULL DEFAULT 0,
    failures        int                                           NOT NULL DEFAULT 0,
    lost            int                                           NOT NULL DEFAULT 0,
    max_failures    int                                           NOT NULL DEFAULT 3,
    not_before      datetime2(6)                                  NOT NULL,
    deadline_at     datetime2(6)                                  NULL,
    time_limit      bigint                                        NULL,                      -- microseconds; deadline_at = claim + time_limit
    lease_owner     nvarchar(32) COLLATE Latin1_General_100_BIN2  NULL,
    lease_until     datetime2(6)                                  NULL,
    host            nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
    engine          nvarchar(64) COLLATE Latin1_General_100_BIN2  NULL,
    job_id          nvarchar(64) COLLATE Latin1_General_100_BIN2  NULL,
    dispatch_no     int                                           NOT NULL DEFAULT 0,
    dispatched_at   datetime2(6)                                  NULL,
    as_of_seq       bigint                                        NULL,
    started_at      datetime2(6)                                  NULL,
    finished_at     datetime2(6)                                  NULL,
    reason          nvarchar(max)                                 NULL,
    error           nvarchar(max)                                 NULL,
    progress_done   bigint                                        NOT NULL DEFAULT 0,
    progress_total  bigint                                        NULL,
    progress_text   nvarchar(max)                                 NULL,
    rows_read       bigint                                        NOT NULL DEFAULT 0,
    rows_written    bigint                                        NOT NULL DEFAULT 0,
    CONSTRAINT pk_stage_runs PRIMARY KEY CLUSTERED (stage_run_id),
    CONSTRAINT ux_stage_runs_partition UNIQUE (run_id, step, partition)
);
CREATE INDEX ix_stage_runs_step ON workflows.stage_runs (run_id, step, state);
CREATE INDEX ix_stage_runs_state ON workflows.stage_runs (run_id, state);
CREATE INDEX ix_stage_runs_lease ON workflows.stage_runs (lease_until) WHERE state = N'running';

CREATE TABLE workflows.attempts (
    stage_run_id  bigint                                        NOT NULL,
    attempt       int                                           NOT NULL,
    claim         nvarchar(32) COLLATE Latin1_General_100_BIN2  NOT NULL,
    host          nvarchar(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    job_id        nvarchar(64) COLLATE Latin1_General_100_BIN2  NULL,
    code_version  nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    started_at    datetime2(6)                                  NOT NULL,
    ended_at      datetime2(6)                                  NULL,
    outcome       nvarchar(20) COLLATE Latin1_General_100_BIN2  NULL,                        -- succeeded | failed | lost | released | cancelled | conflict
    error         nvarchar(max)                                 NULL,
    CONSTRAINT pk_attempts PRIMARY KEY CLUSTERED (stage_run_id, attempt)
);

CREATE TABLE workflows.stage_logs (
    log_id        bigint IDENTITY(1, 1)                        NOT NULL,
    run_id        bigint                                       NOT NULL,
    stage_run_id  bigint                                       NULL,
    attempt       int                                          NULL,
    logged_at     datetime2(6)                                 NOT NULL,
    level         nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,                     -- info | warning | error
    message       nvarchar(max)                                NOT NULL,
    CONSTRAINT pk_stage_logs PRIMARY KEY CLUSTERED (log_id) WITH (DATA_COMPRESSION = PAGE)
);
CREATE INDEX ix_stage_logs_run ON workflows.stage_logs (run_id, log_id);

-- What a pipeline has processed: intervals of grid cells, merged by the reader.
CREATE TABLE workflows.coverage (
    pipeline       nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    window_from    datetime2(6)                                  NOT NULL,
    window_to      datetime2(6)                                  NOT NULL,
    run_id         bigint                                        NOT NULL,
    published_seq  bigint                                        NOT NULL,
    CONSTRAINT pk_coverage PRIMARY KEY CLUSTERED (pipeline, window_from, window_to, run_id)
);

-- event_time: the end of contiguous coverage from the grid's origin (or the warm-up), never the maximum.
CREATE TABLE workflows.watermarks (
    pipeline       nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    input          nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,                   -- the group read; '' for the pipeline's own output
    event_time     datetime2(6)                                  NOT NULL,
    processed_seq  bigint                                        NOT NULL,
    CONSTRAINT pk_watermarks PRIMARY KEY CLUSTERED (pipeline, input)
);

CREATE TABLE workflows.hosts (
    host          nvarchar(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    engine        nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,
    process_id    int                                           NOT NULL,
    kind          nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL,                    -- serve | cli
    url           nvarchar(400)                                 NULL,
    queues        nvarchar(max)                                 NOT NULL,                    -- JSON: queue to number of workers
    code_version  nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    started_at    datetime2(6)                                  NOT NULL,
    last_seen     datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_hosts PRIMARY KEY CLUSTERED (host)
);

CREATE TABLE workflows.backfills (
    backfill_id   bigint IDENTITY(1, 1)                         NOT NULL,
    workflow      nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    window_from   datetime2(6)                                  NOT NULL,
    window_to     datetime2(6)                                  NOT NULL,
    every         bigint                                        NOT NULL,
    parallel      int                                           NOT NULL DEFAULT 1,
    train         bit                                           NOT NULL DEFAULT 0,
    pin_seq       bigint                                        NOT NULL,
    requested_by  nvarchar(256)                                 NOT NULL,
    requested_at  datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_backfills PRIMARY KEY CLUSTERED (backfill_id)
);

CREATE TABLE workflows.run_pins (
    run_id   bigint                                        NOT NULL,
    model    nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version  int                                           NOT NULL,
    CONSTRAINT pk_run_pins PRIMARY KEY CLUSTERED (run_id, model)
);
GO

-- ---------------------------------------------------------------- feature store

CREATE TABLE feature_store.publication_clock (
    clock_id      int          NOT NULL CONSTRAINT ck_publication_clock_clock_id CHECK (clock_id = 1),
    seq           bigint       NOT NULL,
    published_at  datetime2(6) NOT NULL,
    CONSTRAINT pk_publication_clock PRIMARY KEY CLUSTERED (clock_id)
);
INSERT INTO feature_store.publication_clock (clock_id, seq, published_at) VALUES (1, 0, '1970-01-01T00:00:00');

CREATE TABLE feature_store.feature_groups (
    feature_group    nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version          int                                           NOT NULL,
    fingerprint      nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,                 -- of the current schema revision
    schema_revision  int                                           NOT NULL,
    description      nvarchar(max)                                 NULL,
    written_by       nvarchar(128) COLLATE Latin1_General_100_BIN2 NULL,                     -- the pipeline
    columns_json     nvarchar(max)                                 NOT NULL,
    online           bit                                           NOT NULL DEFAULT 0,
    lag              bigint                                        NOT NULL DEFAULT 0,
    deprecated       bit                                           NOT NULL DEFAULT 0,
    created_at       datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_feature_groups PRIMARY KEY CLUSTERED (feature_group, version)
);

CREATE TABLE feature_store.group_schemas (
    feature_group  nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version        int                                           NOT NULL,
    revision       int                                           NOT NULL,
    fingerprint    nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,
    columns_json   nvarchar(max)                                 NOT NULL,
    ddl            nvarchar(max)                                 NOT NULL,
    applied_at     datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_group_schemas PRIMARY KEY CLUSTERED (feature_group, version, revision)
);

CREATE TABLE feature_store.commits (
    commit_id         bigint IDENTITY(1, 1)                         NOT NULL,
    feature_group     nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version           int                                           NOT NULL,
    kind              nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL,                -- replace | patch
    window_from       datetime2(6)                                  NOT NULL,
    window_to         datetime2(6)                                  NOT NULL,
    base_seq          bigint                                        NOT NULL,
    run_id            bigint                                        NULL,
    stage             nvarchar(128) COLLATE Latin1_General_100_BIN2 NULL,
    stage_run_id      bigint                                        NULL,
    attempt           int                                           NULL,
    state             nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL,                -- writing | sealed | published | discarded | collected
    published_seq     bigint                                        NULL,
    published_at      datetime2(6)                                  NULL,
    created_at        datetime2(6)                                  NOT NULL,
    rows              bigint                                        NOT NULL DEFAULT 0,      -- rows stored: new and changed
    tombstones        bigint                                        NOT NULL DEFAULT 0,
    new_rows          bigint                                        NOT NULL DEFAULT 0,      -- rows whose key and event time were not there before, less tombstones
    rows_computed     bigint                                        NOT NULL DEFAULT 0,      -- rows that the pipeline gave, unchanged ones included
    rows_quarantined  bigint                                        NOT NULL DEFAULT 0,
    min_event_time    datetime2(6)                                  NULL,
    max_event_time    datetime2(6)                                  NULL,
    statistics_json   nvarchar(max)                                 NULL,                    -- JSON
    expectations      nvarchar(max)                                 NULL,                    -- JSON: rule, outcome, violations
    code_version      nvarchar(128) COLLATE Latin1_General_100_BIN2 NULL,
    CONSTRAINT pk_commits PRIMARY KEY CLUSTERED (commit_id)
);
CREATE INDEX ix_commits_group ON feature_store.commits (feature_group, published_seq DESC);
CREATE INDEX ix_commits_published ON feature_store.commits (published_at);
CREATE INDEX ix_commits_run ON feature_store.commits (run_id);
CREATE INDEX ix_commits_open ON feature_store.commits (state) WHERE state IN (N'writing', N'sealed', N'discarded');

CREATE TABLE feature_store.commit_inputs (
    commit_id      bigint                                        NOT NULL,
    feature_group  nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version        int                                           NOT NULL,
    as_of_seq      bigint                                        NOT NULL,
    window_from    datetime2(6)                                  NOT NULL,
    window_to      datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_commit_inputs PRIMARY KEY CLUSTERED (commit_id, feature_group, version, window_from, window_to)
);

-- The days of event time that a commit touched, tombstones included: what late input reopens.
CREATE TABLE feature_store.commit_buckets (
    commit_id  bigint       NOT NULL,
    bucket     datetime2(6) NOT NULL,                                                        -- the start of the day
    CONSTRAINT pk_commit_buckets PRIMARY KEY CLUSTERED (commit_id, bucket)
);

CREATE TABLE feature_store.quarantine (
    quarantine_id   bigint IDENTITY(1, 1)                         NOT NULL,
    commit_id       bigint                                        NOT NULL,
    row_json        nvarchar(max)                                 NOT NULL,
    rule_name       nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
    reason          nvarchar(max)                                 NOT NULL,
    quarantined_at  datetime2(6)                                  NOT NULL,
    replayed_by     bigint                                        NULL,                      -- the commit that took the row in after all
    CONSTRAINT pk_quarantine PRIMARY KEY CLUSTERED (quarantine_id) WITH (DATA_COMPRESSION = PAGE)
);
CREATE INDEX ix_quarantine_commit ON feature_store.quarantine (commit_id, rule_name);

CREATE TABLE feature_store.feature_views (
    feature_view   nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version        int                                           NOT NULL,
    fingerprint    nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,
    example_type   nvarchar(400)                                 NOT NULL,
    spine_group    nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    spine_version  int                                           NOT NULL,
    label_json     nvarchar(max)                                 NULL,
    columns_json   nvarchar(max)                                 NOT NULL,
    created_at     datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_feature_views PRIMARY KEY CLUSTERED (feature_view, version)
);

CREATE TABLE feature_store.lineage (
    feature_view   nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    view_version   int                                           NOT NULL,
    feature        nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    join_alias     nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,                   -- 'spine' for the spine itself
    feature_group  nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    group_version  int                                           NOT NULL,
    group_column   nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    CONSTRAINT pk_lineage PRIMARY KEY NONCLUSTERED (feature_view, view_version, feature, join_alias, group_column)
);
CREATE CLUSTERED INDEX ix_lineage_group ON feature_store.lineage (feature_group, group_version);

CREATE TABLE feature_store.training_datasets (
    dataset_id        bigint IDENTITY(1, 1)                         NOT NULL,
    feature_view      nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    view_version      int                                           NOT NULL,
    view_fingerprint  nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,
    window_from       datetime2(6)                                  NOT NULL,                -- of the spine
    window_to         datetime2(6)                                  NOT NULL,
    cut_off           datetime2(6)                                  NOT NULL,
    label_within      bigint                                        NOT NULL,                -- label horizon, microseconds
    as_of_seq         bigint                                        NOT NULL,
    rows              bigint                                        NOT NULL,
    unlabelled_rows   bigint                                        NOT NULL,
    content_hash      nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,
    file_name         nvarchar(260)                                 NOT NULL,                -- below DataDirectory/datasets
    file_bytes        bigint                                        NOT NULL,
    statistics_json   nvarchar(max)                                 NULL,
    reproducible      bit                                           NOT NULL DEFAULT 1,
    reason            nvarchar(max)                                 NULL,
    run_id            bigint                                        NULL,
    stage_run_id      bigint                                        NULL,
    code_version      nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    published_seq     bigint                                        NOT NULL,
    published_at      datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_training_datasets PRIMARY KEY CLUSTERED (dataset_id)
);

CREATE TABLE feature_store.dataset_inputs (
    dataset_id     bigint                                        NOT NULL,
    feature_group  nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version        int                                           NOT NULL,
    as_of_seq      bigint                                        NOT NULL,
    window_from    datetime2(6)                                  NOT NULL,
    window_to      datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_dataset_inputs PRIMARY KEY CLUSTERED (dataset_id, feature_group, version, window_from, window_to)
);

CREATE TABLE feature_store.dataset_commits (
    dataset_id  bigint NOT NULL,
    commit_id   bigint NOT NULL,
    CONSTRAINT pk_dataset_commits PRIMARY KEY CLUSTERED (dataset_id, commit_id)
);
GO

-- ---------------------------------------------------------------- model registry

CREATE TABLE model_registry.models (
    model        nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    task         nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL,                     -- binary | multiclass | regression
    description  nvarchar(max)                                 NULL,
    created_at   datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_models PRIMARY KEY CLUSTERED (model)
);

CREATE TABLE model_registry.versions (
    model               nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version             int                                           NOT NULL,
    pipeline            nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    task                nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL,
    trainer             nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    parameters          nvarchar(max)                                 NOT NULL,              -- JSON, thread count included
    seed                int                                           NULL,
    dataset_id          bigint                                        NOT NULL,
    feature_view        nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    view_version        int                                           NOT NULL,
    view_fingerprint    nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,
    cut_off             datetime2(6)                                  NOT NULL,
    training_from       datetime2(6)                                  NOT NULL,
    training_to         datetime2(6)                                  NOT NULL,
    holdout_from        datetime2(6)                                  NOT NULL,
    holdout_to          datetime2(6)                                  NOT NULL,
    training_rows       bigint                                        NOT NULL,
    holdout_rows        bigint                                        NOT NULL,
    refit               bit                                           NOT NULL DEFAULT 0,
    metrics             nvarchar(max)                                 NOT NULL,              -- JSON, of the holdout: numbers, ROC at 61 points, ten calibration bins
    baseline_metrics    nvarchar(max)                                 NOT NULL,              -- JSON: baseline name to metrics
    champion_metrics    nvarchar(max)                                 NULL,                  -- JSON: the champion of that time on the holdout rows after its own cut-off
    primary_metric      nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,              -- 'auc', ...
    primary_value       float                                         NOT NULL,
    baseline_value      float                                         NOT NULL,              -- of the strongest baseline
    signature           nvarchar(max)                                 NOT NULL,              -- JSON: inputs with types and nullability, outputs
    feature_importance  nvarchar(max)                                 NULL,                  -- JSON: feature to share of gain
    artifact_sha256     nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,
    content_sha256      nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,              -- of the entries of the model, not of the archive's bytes
    reproducible        bit                                           NOT NULL DEFAULT 1,
    reason              nvarchar(max)                                 NULL,                  -- why it is not reproducible
    promotion           nvarchar(max)                                 NOT NULL,              -- what the promotion rule decided, and why
    run_id              bigint                                        NULL,
    stage_run_id        bigint                                        NULL,
    code_version        nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    published_seq       bigint                                        NOT NULL,
    created_at          datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_versions PRIMARY KEY CLUSTERED (model, version)
);

CREATE TABLE model_registry.artifacts (
    sha256      nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    bytes       bigint                                       NOT NULL,
    content     varbinary(max)                               NOT NULL,
    created_at  datetime2(6)                                 NOT NULL,
    CONSTRAINT pk_artifacts PRIMARY KEY CLUSTERED (sha256)
);

CREATE TABLE model_registry.aliases (
    model       nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    alias       nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,
    version     int                                           NOT NULL,
    changed_at  datetime2(6)                                  NOT NULL,
    changed_by  nvarchar(256)                                 NOT NULL,
    reason      nvarchar(max)                                 NOT NULL,
    CONSTRAINT pk_aliases PRIMARY KEY CLUSTERED (model, alias)
);

CREATE TABLE model_registry.alias_history (
    history_id        bigint IDENTITY(1, 1)                         NOT NULL,
    model             nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    alias             nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,
    version           int                                           NOT NULL,
    previous_version  int                                           NULL,
    changed_at        datetime2(6)                                  NOT NULL,
    changed_by        nvarchar(256)                                 NOT NULL,
    reason            nvarchar(max)                                 NOT NULL,
    CONSTRAINT pk_alias_history PRIMARY KEY CLUSTERED (history_id)
);
CREATE INDEX ix_alias_history_model ON model_registry.alias_history (model, history_id);
GO

-- ---------------------------------------------------------------- prediction log

CREATE TABLE prediction_log.batches (
    batch_id        bigint IDENTITY(1, 1)                         NOT NULL,
    pipeline        nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    role            nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL,                  -- champion | challenger | shadow | backtest
    model           nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version         int                                           NOT NULL,
    feature_view    nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    view_version    int                                           NOT NULL,
    window_from     datetime2(6)                                  NOT NULL,
    window_to       datetime2(6)                                  NOT NULL,
    as_of_seq       bigint                                        NOT NULL,
    hindsight       bit                                           NOT NULL DEFAULT 0,
    predicted_at    datetime2(6)                                  NOT NULL,
    state           nvarchar(20) COLLATE Latin1_General_100_BIN2  NOT NULL,                  -- writing | sealed | published | discarded | collected
    published_seq   bigint                                        NULL,
    published_at    datetime2(6)                                  NULL,
    rows            bigint                                        NOT NULL DEFAULT 0,
    content_hash    nvarchar(64) COLLATE Latin1_General_100_BIN2  NULL,
    score_bins      nvarchar(max)                                 NULL,                      -- JSON: 20 counts over [0, 1], or over the score's range with its edges
    positive_share  float                                         NULL,                      -- share predicted positive
    run_id          bigint                                        NULL,
    stage_run_id    bigint                                        NULL,
    attempt         int                                           NULL,
    code_version    nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    CONSTRAINT pk_batches PRIMARY KEY CLUSTERED (batch_id)
);
CREATE INDEX ix_batches_pipeline ON prediction_log.batches (pipeline, role, window_from);
CREATE INDEX ix_batches_open ON prediction_log.batches (state) WHERE state IN (N'writing', N'sealed', N'discarded');
CREATE INDEX ix_batches_run ON prediction_log.batches (run_id);

-- Where another batch counts in place of this one; written with each publication, so that no reader compares batches with each other.
-- Per pipeline and role the batch published last wins, and one without hindsight wins over any with it.
CREATE TABLE prediction_log.superseded (
    batch_id     bigint       NOT NULL,
    by_batch_id  bigint       NOT NULL,
    window_from  datetime2(6) NOT NULL,                                                      -- of the other batch
    window_to    datetime2(6) NOT NULL,
    CONSTRAINT pk_superseded PRIMARY KEY CLUSTERED (batch_id, by_batch_id)
);

CREATE TABLE prediction_log.batch_inputs (
    batch_id       bigint                                        NOT NULL,
    feature_group  nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version        int                                           NOT NULL,
    as_of_seq      bigint                                        NOT NULL,
    window_from    datetime2(6)                                  NOT NULL,
    window_to      datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_batch_inputs PRIMARY KEY CLUSTERED (batch_id, feature_group, version, window_from, window_to)
);

CREATE TABLE prediction_log.batch_commits (
    batch_id   bigint NOT NULL,
    commit_id  bigint NOT NULL,
    CONSTRAINT pk_batch_commits PRIMARY KEY CLUSTERED (batch_id, commit_id)
);

CREATE TABLE prediction_log.prediction_rows (
    batch_id      bigint                                        NOT NULL,
    ordinal       int                                           NOT NULL,                    -- in canonical order of the spine
    entity_key    nvarchar(700) COLLATE Latin1_General_100_BIN2 NOT NULL,                    -- JSON array of the spine's keys
    event_time    datetime2(6)                                  NOT NULL,
    score         float                                         NULL,
    probability   float                                         NULL,
    label         nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
    output        nvarchar(max)                                 NOT NULL,                    -- JSON of the prediction that Decide returned
    feature_hash  bigint                                        NOT NULL,                    -- XxHash3 of the canonical feature vector
    CONSTRAINT pk_prediction_rows PRIMARY KEY CLUSTERED (batch_id, ordinal) WITH (DATA_COMPRESSION = PAGE)
);
CREATE INDEX ix_prediction_rows_key ON prediction_log.prediction_rows (entity_key) WITH (DATA_COMPRESSION = PAGE);

CREATE TABLE prediction_log.outcomes (
    feature_view  nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity_key    nvarchar(700) COLLATE Latin1_General_100_BIN2 NOT NULL,
    event_time    datetime2(6)                                  NOT NULL,
    actual        float                                         NOT NULL,
    actual_text   nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,                        -- the label's name where it is a class
    actual_at     datetime2(6)                                  NOT NULL,
    known_seq     bigint                                        NOT NULL,                    -- the sequence that the outcome was read at
    CONSTRAINT pk_outcomes PRIMARY KEY NONCLUSTERED (feature_view, entity_key, event_time)
);
CREATE CLUSTERED INDEX ix_outcomes_time ON prediction_log.outcomes (feature_view, event_time) WITH (DATA_COMPRESSION = PAGE);

CREATE TABLE prediction_log.metrics (
    pipeline      nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    model         nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version       int                                           NOT NULL,
    day           datetime2(6)                                  NOT NULL,                    -- start of the day of event time
    metric        nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,                    -- 'auc', 'log_loss', 'positive_rate', ...
    metric_value  float                                         NULL,                        -- null where the day has one class only
    predictions   bigint                                        NOT NULL,
    outcomes      bigint                                        NOT NULL,                    -- of them known
    computed_at   datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_metrics PRIMARY KEY CLUSTERED (pipeline, model, version, day, metric)
);

CREATE TABLE prediction_log.drift (
    pipeline     nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    model        nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version      int                                           NOT NULL,
    day          datetime2(6)                                  NOT NULL,
    feature      nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    psi          float                                         NULL,
    rows         bigint                                        NOT NULL,
    computed_at  datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_drift PRIMARY KEY CLUSTERED (pipeline, model, version, day, feature)
);
GO

-- ---------------------------------------------------------------- audit of what people did

CREATE TABLE workflows.audit (
    audit_id  bigint IDENTITY(1, 1)                         NOT NULL,
    done_at   datetime2(6)                                  NOT NULL,
    done_by   nvarchar(256)                                 NOT NULL,
    action    nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,                        -- 'run', 'cancel', 'resume', 'pause', 'promote', ...
    subject   nvarchar(400)                                 NOT NULL,
    details   nvarchar(max)                                 NULL,
    CONSTRAINT pk_audit PRIMARY KEY CLUSTERED (audit_id)
);
