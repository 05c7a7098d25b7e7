-- The fixed tables of AiWorkflows. Times are INTEGER microseconds since 1970, UTC; JSON is TEXT.
-- The tables of feature groups are generated from their types and recorded in feature_store_group_schemas.

-- ---------------------------------------------------------------- workflows: the ledger

CREATE TABLE workflows_workflows (
    workflow     TEXT    NOT NULL PRIMARY KEY,
    touch        INTEGER NOT NULL DEFAULT 0,          -- updated first by every decision about admission
    max_running  INTEGER NOT NULL DEFAULT 1,
    overlap      TEXT    NOT NULL DEFAULT 'queue',    -- queue | skip | parallel
    last_tick    INTEGER NULL,
    paused_at    INTEGER NULL,
    paused_by    TEXT    NULL
) STRICT;

CREATE TABLE workflows_runs (
    run_id        INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow      TEXT    NOT NULL,
    requested_by  TEXT    NOT NULL,
    triggered_by  TEXT    NOT NULL,                   -- schedule | manual | api | sql | backfill | data
    mode          TEXT    NOT NULL DEFAULT 'stages',  -- stages | monolith_train | monolith_infer
    catch_up      INTEGER NOT NULL DEFAULT 0,         -- 1: made by catch-up, so coverage and warm-up decide which stages are skipped
    hindsight     INTEGER NOT NULL DEFAULT 0,         -- 1: score examples from before the model's training cut-off, and flag them
    window_from   INTEGER NOT NULL,
    window_to     INTEGER NOT NULL,
    state         TEXT    NOT NULL,                   -- requested | running | succeeded | failed | cancelled
    requested_at  INTEGER NOT NULL,
    started_at    INTEGER NULL,
    finished_at   INTEGER NULL,
    code_version  TEXT    NULL,
    error         TEXT    NULL,
    reason        TEXT    NULL,
    dedup_key     TEXT    NULL,
    touch         INTEGER NOT NULL DEFAULT 0,
    backfill_id   INTEGER NULL
) STRICT;
CREATE UNIQUE INDEX ux_runs_dedup ON workflows_runs (workflow, dedup_key) WHERE dedup_key IS NOT NULL;
CREATE UNIQUE INDEX ux_runs_backfill ON workflows_runs (backfill_id, window_from) WHERE backfill_id IS NOT NULL;
CREATE INDEX ix_runs_window ON workflows_runs (workflow, window_from DESC);
CREATE INDEX ix_runs_open ON workflows_runs (state) WHERE state IN ('requested', 'running');

CREATE TABLE workflows_run_edges (
    run_id      INTEGER NOT NULL,
    step        TEXT    NOT NULL,
    after_step  TEXT    NOT NULL,
    PRIMARY KEY (run_id, step, after_step)
) STRICT, WITHOUT ROWID;

CREATE TABLE workflows_stage_runs (
    stage_run_id    INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id          INTEGER NOT NULL,
    stage           TEXT    NOT NULL,                 -- the pipeline's name
    step            TEXT    NOT NULL,                 -- stage, stage/outcomes, stage/publish, stage/split
    kind            TEXT    NOT NULL,                 -- feature | training | inference | control
    ordinal         INTEGER NOT NULL,                 -- order of execution when done one by one
    partition       INTEGER NOT NULL DEFAULT 0,
    partitions      INTEGER NOT NULL DEFAULT 1,
    queue           TEXT    NOT NULL,
    state           TEXT    NOT NULL,                 -- pending | running | succeeded | failed | cancelled | skipped
    attempt         INTEGER NOT NULL DEFAULT 0,
    failures        INTEGER NOT NULL DEFAULT 0,
    lost            INTEGER NOT NULL DEFAULT 0,
    max_failures    INTEGER NOT NULL DEFAULT 3,
    not_before      INTEGER NOT NULL,
    deadline_at     INTEGER NULL,
    time_limit      INTEGER NULL,                     -- microseconds; deadline_at = claim + time_limit
    lease_owner     TEXT    NULL,
    lease_until     INTEGER NULL,
    host            TEXT    NULL,
    engine          TEXT    NULL,
    job_id          TEXT    NULL,
    dispatch_no     INTEGER NOT NULL DEFAULT 0,
    dispatched_at   INTEGER NULL,
    as_of_seq       INTEGER NULL,
    started_at      INTEGER NULL,
    finished_at     INTEGER NULL,
    reason          TEXT    NULL,
    error           TEXT    NULL,
    progress_done   INTEGER NOT NULL DEFAULT 0,
    progress_total  INTEGER NULL,
    progress_text   TEXT    NULL,
    rows_read       INTEGER NOT NULL DEFAULT 0,
    rows_written    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (run_id, step, partition)
) STRICT;
CREATE INDEX ix_stage_runs_step ON workflows_stage_runs (run_id, step, state);
CREATE INDEX ix_stage_runs_state ON workflows_stage_runs (run_id, state);
CREATE INDEX ix_stage_runs_lease ON workflows_stage_runs (lease_until) WHERE state = 'running';

CREATE TABLE workflows_attempts (
    stage_run_id  INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    claim         TEXT    NOT NULL,
    host          TEXT    NOT NULL,
    job_id        TEXT    NULL,
    code_version  TEXT    NOT NULL,
    started_at    INTEGER NOT NULL,
    ended_at      INTEGER NULL,
    outcome       TEXT    NULL,                       -- succeeded | failed | lost | released | cancelled | conflict
    error         TEXT    NULL,
    PRIMARY KEY (stage_run_id, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE workflows_stage_logs (
    log_id        INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id        INTEGER NOT NULL,
    stage_run_id  INTEGER NULL,
    attempt       INTEGER NULL,
    logged_at     INTEGER NOT NULL,
    level         TEXT    NOT NULL,                   -- info | warning | error
    message       TEXT    NOT NULL
) STRICT;
CREATE INDEX ix_stage_logs_run ON workflows_stage_logs (run_id, log_id);

-- What a pipeline has processed: intervals of grid cells, merged by the reader.
CREATE TABLE workflows_coverage (
    pipeline       TEXT    NOT NULL,
    window_from    INTEGER NOT NULL,
    window_to      INTEGER NOT NULL,
    run_id         INTEGER NOT NULL,
    published_seq  INTEGER NOT NULL,
    PRIMARY KEY (pipeline, window_from, window_to, run_id)
) STRICT, WITHOUT ROWID;

-- event_time: the end of contiguous coverage from the grid's origin (or the warm-up), never the maximum.
CREATE TABLE workflows_watermarks (
    pipeline       TEXT    NOT NULL,
    input          TEXT    NOT NULL,                  -- the group read; '' for the pipeline's own output
    event_time     INTEGER NOT NULL,
    processed_seq  INTEGER NOT NULL,
    PRIMARY KEY (pipeline, input)
) STRICT, WITHOUT ROWID;

CREATE TABLE workflows_hosts (
    host          TEXT    NOT NULL PRIMARY KEY,
    engine        TEXT    NOT NULL,
    process_id    INTEGER NOT NULL,
    kind          TEXT    NOT NULL,                   -- serve | cli
    url           TEXT    NULL,
    queues        TEXT    NOT NULL,                   -- JSON: queue to number of workers
    code_version  TEXT    NOT NULL,
    started_at    INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE workflows_backfills (
    backfill_id   INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow      TEXT    NOT NULL,
    window_from   INTEGER NOT NULL,
    window_to     INTEGER NOT NULL,
    every         INTEGER NOT NULL,
    parallel      INTEGER NOT NULL DEFAULT 1,
    train         INTEGER NOT NULL DEFAULT 0,
    pin_seq       INTEGER NOT NULL,
    requested_by  TEXT    NOT NULL,
    requested_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE workflows_run_pins (
    run_id   INTEGER NOT NULL,
    model    TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    PRIMARY KEY (run_id, model)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- feature store

CREATE TABLE feature_store_publication_clock (
    clock_id      INTEGER NOT NULL PRIMARY KEY CHECK (clock_id = 1),
    seq           INTEGER NOT NULL,
    published_at  INTEGER NOT NULL
) STRICT;
INSERT INTO feature_store_publication_clock (clock_id, seq, published_at) VALUES (1, 0, 0);

CREATE TABLE feature_store_feature_groups (
    feature_group    TEXT    NOT NULL,
    version          INTEGER NOT NULL,
    fingerprint      TEXT    NOT NULL,                -- of the current schema revision
    schema_revision  INTEGER NOT NULL,
    description      TEXT    NULL,
    written_by       TEXT    NULL,                    -- the pipeline
    columns_json     TEXT    NOT NULL,
    online           INTEGER NOT NULL DEFAULT 0,
    lag              INTEGER NOT NULL DEFAULT 0,
    deprecated       INTEGER NOT NULL DEFAULT 0,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (feature_group, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_store_group_schemas (
    feature_group  TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    fingerprint    TEXT    NOT NULL,
    columns_json   TEXT    NOT NULL,
    ddl            TEXT    NOT NULL,
    applied_at     INTEGER NOT NULL,
    PRIMARY KEY (feature_group, version, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_store_commits (
    commit_id        INTEGER PRIMARY KEY AUTOINCREMENT,
    feature_group    TEXT    NOT NULL,
    version          INTEGER NOT NULL,
    kind             TEXT    NOT NULL,                -- replace | patch
    window_from      INTEGER NOT NULL,
    window_to        INTEGER NOT NULL,
    base_seq         INTEGER NOT NULL,
    run_id           INTEGER NULL,
    stage            TEXT    NULL,
    stage_run_id     INTEGER NULL,
    attempt          INTEGER NULL,
    state            TEXT    NOT NULL,                -- writing | sealed | published | discarded | collected
    published_seq    INTEGER NULL,
    published_at     INTEGER NULL,
    created_at       INTEGER NOT NULL,
    rows             INTEGER NOT NULL DEFAULT 0,      -- rows stored: new and changed
    tombstones       INTEGER NOT NULL DEFAULT 0,
    new_rows         INTEGER NOT NULL DEFAULT 0,      -- rows whose key and event time were not there before, less tombstones
    rows_computed    INTEGER NOT NULL DEFAULT 0,      -- rows that the pipeline gave, unchanged ones included
    rows_quarantined INTEGER NOT NULL DEFAULT 0,
    min_event_time   INTEGER NULL,
    max_event_time   INTEGER NULL,
    statistics_json  TEXT    NULL,                    -- JSON
    expectations     TEXT    NULL,                    -- JSON: rule, outcome, violations
    code_version     TEXT    NULL
) STRICT;
CREATE INDEX ix_commits_group ON feature_store_commits (feature_group, published_seq DESC);
CREATE INDEX ix_commits_published ON feature_store_commits (published_at);
CREATE INDEX ix_commits_run ON feature_store_commits (run_id);
CREATE INDEX ix_commits_open ON feature_store_commits (state) WHERE state IN ('writing', 'sealed', 'discarded');

CREATE TABLE feature_store_commit_inputs (
    commit_id      INTEGER NOT NULL,
    feature_group  TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    as_of_seq      INTEGER NOT NULL,
    window_from    INTEGER NOT NULL,
    window_to      INTEGER NOT NULL,
    PRIMARY KEY (commit_id, feature_group, version, window_from, window_to)
) STRICT, WITHOUT ROWID;

-- The days of event time that a commit touched, tombstones included: what late input reopens.
CREATE TABLE feature_store_commit_buckets (
    commit_id  INTEGER NOT NULL,
    bucket     INTEGER NOT NULL,                      -- microseconds since 1970 of the start of the day
    PRIMARY KEY (commit_id, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_store_quarantine (
    quarantine_id   INTEGER PRIMARY KEY AUTOINCREMENT,
    commit_id       INTEGER NOT NULL,
    row_json        TEXT    NOT NULL,
    rule_name       TEXT    NOT NULL,
    reason          TEXT    NOT NULL,
    quarantined_at  INTEGER NOT NULL,
    replayed_by     INTEGER NULL                      -- the commit that took the row in after all
) STRICT;
CREATE INDEX ix_quarantine_commit ON feature_store_quarantine (commit_id, rule_name);

CREATE TABLE feature_store_feature_views (
    feature_view  TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    fingerprint   TEXT    NOT NULL,
    example_type  TEXT    NOT NULL,
    spine_group   TEXT    NOT NULL,
    spine_version INTEGER NOT NULL,
    label_json    TEXT    NULL,
    columns_json  TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (feature_view, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_store_lineage (
    feature_view   TEXT    NOT NULL,
    view_version   INTEGER NOT NULL,
    feature        TEXT    NOT NULL,
    join_alias     TEXT    NOT NULL,                  -- 'spine' for the spine itself
    feature_group  TEXT    NOT NULL,
    group_version  INTEGER NOT NULL,
    group_column   TEXT    NOT NULL,
    PRIMARY KEY (feature_view, view_version, feature, join_alias, group_column)
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_store_training_datasets (
    dataset_id        INTEGER PRIMARY KEY AUTOINCREMENT,
    feature_view      TEXT    NOT NULL,
    view_version      INTEGER NOT NULL,
    view_fingerprint  TEXT    NOT NULL,
    window_from       INTEGER NOT NULL,               -- of the spine
    window_to         INTEGER NOT NULL,
    cut_off           INTEGER NOT NULL,
    label_within      INTEGER NOT NULL,               -- label horizon, microseconds
    as_of_seq         INTEGER NOT NULL,
    rows              INTEGER NOT NULL,
    unlabelled_rows   INTEGER NOT NULL,
    content_hash      TEXT    NOT NULL,
    file_name         TEXT    NOT NULL,               -- below DataDirectory/datasets
    file_bytes        INTEGER NOT NULL,
    statistics_json   TEXT    NULL,
    reproducible      INTEGER NOT NULL DEFAULT 1,
    reason            TEXT    NULL,
    run_id            INTEGER NULL,
    stage_run_id      INTEGER NULL,
    code_version      TEXT    NOT NULL,
    published_seq     INTEGER NOT NULL,
    published_at      INTEGER NOT NULL
) STRICT;

CREATE TABLE feature_store_dataset_inputs (
    dataset_id     INTEGER NOT NULL,
    feature_group  TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    as_of_seq      INTEGER NOT NULL,
    window_from    INTEGER NOT NULL,
    window_to      INTEGER NOT NULL,
    PRIMARY KEY (dataset_id, feature_group, version, window_from, window_to)
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_store_dataset_commits (
    dataset_id  INTEGER NOT NULL,
    commit_id   INTEGER NOT NULL,
    PRIMARY KEY (dataset_id, commit_id)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- model registry

CREATE TABLE model_registry_models (
    model        TEXT    NOT NULL PRIMARY KEY,
    task         TEXT    NOT NULL,                    -- binary | multiclass | regression
    description  TEXT    NULL,
    created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE model_registry_versions (
    model               TEXT    NOT NULL,
    version             INTEGER NOT NULL,
    pipeline            TEXT    NOT NULL,
    task                TEXT    NOT NULL,
    trainer             TEXT    NOT NULL,
    parameters          TEXT    NOT NULL,             -- JSON, thread count included
    seed                INTEGER NULL,
    dataset_id          INTEGER NOT NULL,
    feature_view        TEXT    NOT NULL,
    view_version        INTEGER NOT NULL,
    view_fingerprint    TEXT    NOT NULL,
    cut_off             INTEGER NOT NULL,
    training_from       INTEGER NOT NULL,
    training_to         INTEGER NOT NULL,
    holdout_from        INTEGER NOT NULL,
    holdout_to          INTEGER NOT NULL,
    training_rows       INTEGER NOT NULL,
    holdout_rows        INTEGER NOT NULL,
    refit               INTEGER NOT NULL DEFAULT 0,
    metrics             TEXT    NOT NULL,             -- JSON, of the holdout: numbers, ROC at 61 points, ten calibration bins
    baseline_metrics    TEXT    NOT NULL,             -- JSON: baseline name to metrics
    champion_metrics    TEXT    NULL,                 -- JSON: the champion of that time on the holdout rows after its own cut-off
    primary_metric      TEXT    NOT NULL,             -- 'auc', ...
    primary_value       REAL    NOT NULL,
    baseline_value      REAL    NOT NULL,             -- of the strongest baseline
    signature           TEXT    NOT NULL,             -- JSON: inputs with types and nullability, outputs
    feature_importance  TEXT    NULL,                 -- JSON: feature to share of gain
    artifact_sha256     TEXT    NOT NULL,
    content_sha256      TEXT    NOT NULL,             -- of the entries of the model, not of the archive's bytes
    reproducible        INTEGER NOT NULL DEFAULT 1,
    reason              TEXT    NULL,                 -- why it is not reproducible
    promotion           TEXT    NOT NULL,             -- what the promotion rule decided, and why
    run_id              INTEGER NULL,
    stage_run_id        INTEGER NULL,
    code_version        TEXT    NOT NULL,
    published_seq       INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    PRIMARY KEY (model, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_registry_artifacts (
    sha256      TEXT    NOT NULL PRIMARY KEY,
    bytes       INTEGER NOT NULL,
    content     BLOB    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE model_registry_aliases (
    model       TEXT    NOT NULL,
    alias       TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    changed_by  TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    PRIMARY KEY (model, alias)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_registry_alias_history (
    history_id        INTEGER PRIMARY KEY AUTOINCREMENT,
    model             TEXT    NOT NULL,
    alias             TEXT    NOT NULL,
    version           INTEGER NOT NULL,
    previous_version  INTEGER NULL,
    changed_at        INTEGER NOT NULL,
    changed_by        TEXT    NOT NULL,
    reason            TEXT    NOT NULL
) STRICT;
CREATE INDEX ix_alias_history_model ON model_registry_alias_history (model, history_id);

-- ---------------------------------------------------------------- prediction log

CREATE TABLE prediction_log_batches (
    batch_id       INTEGER PRIMARY KEY AUTOINCREMENT,
    pipeline       TEXT    NOT NULL,
    role           TEXT    NOT NULL,                  -- champion | challenger | shadow | backtest
    model          TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    feature_view   TEXT    NOT NULL,
    view_version   INTEGER NOT NULL,
    window_from    INTEGER NOT NULL,
    window_to      INTEGER NOT NULL,
    as_of_seq      INTEGER NOT NULL,
    hindsight      INTEGER NOT NULL DEFAULT 0,
    predicted_at   INTEGER NOT NULL,
    state          TEXT    NOT NULL,                  -- writing | sealed | published | discarded | collected
    published_seq  INTEGER NULL,
    published_at   INTEGER NULL,
    rows           INTEGER NOT NULL DEFAULT 0,
    content_hash   TEXT    NULL,
    score_bins     TEXT    NULL,                      -- JSON: 20 counts over [0, 1], or over the score's range with its edges
    positive_share REAL    NULL,                      -- share predicted positive
    run_id         INTEGER NULL,
    stage_run_id   INTEGER NULL,
    attempt        INTEGER NULL,
    code_version   TEXT    NOT NULL
) STRICT;
CREATE INDEX ix_batches_pipeline ON prediction_log_batches (pipeline, role, window_from);
CREATE INDEX ix_batches_open ON prediction_log_batches (state) WHERE state IN ('writing', 'sealed', 'discarded');
CREATE INDEX ix_batches_run ON prediction_log_batches (run_id);

-- Where another batch counts in place of this one; written with each publication, so that no reader compares batches with each other.
-- Per pipeline and role the batch published last wins, and one without hindsight wins over any with it.
CREATE TABLE prediction_log_superseded (
    batch_id     INTEGER NOT NULL,
    by_batch_id  INTEGER NOT NULL,
    window_from  INTEGER NOT NULL,                    -- of the other batch
    window_to    INTEGER NOT NULL,
    PRIMARY KEY (batch_id, by_batch_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE prediction_log_batch_inputs (
    batch_id       INTEGER NOT NULL,
    feature_group  TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    as_of_seq      INTEGER NOT NULL,
    window_from    INTEGER NOT NULL,
    window_to      INTEGER NOT NULL,
    PRIMARY KEY (batch_id, feature_group, version, window_from, window_to)
) STRICT, WITHOUT ROWID;

CREATE TABLE prediction_log_batch_commits (
    batch_id   INTEGER NOT NULL,
    commit_id  INTEGER NOT NULL,
    PRIMARY KEY (batch_id, commit_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE prediction_log_prediction_rows (
    batch_id      INTEGER NOT NULL,
    ordinal       INTEGER NOT NULL,                   -- in canonical order of the spine
    entity_key    TEXT    NOT NULL,                   -- JSON array of the spine's keys
    event_time    INTEGER NOT NULL,
    score         REAL    NULL,
    probability   REAL    NULL,
    label         TEXT    NULL,
    output        TEXT    NOT NULL,                   -- JSON of the prediction that Decide returned
    feature_hash  INTEGER NOT NULL,                   -- XxHash3 of the canonical feature vector
    PRIMARY KEY (batch_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_prediction_rows_key ON prediction_log_prediction_rows (entity_key);

CREATE TABLE prediction_log_outcomes (
    feature_view TEXT   NOT NULL,
    entity_key  TEXT    NOT NULL,
    event_time  INTEGER NOT NULL,
    actual      REAL    NOT NULL,
    actual_text TEXT    NULL,                         -- the label's name where it is a class
    actual_at   INTEGER NOT NULL,
    known_seq   INTEGER NOT NULL,                     -- the sequence that the outcome was read at
    PRIMARY KEY (feature_view, entity_key, event_time)
) STRICT, WITHOUT ROWID;

CREATE TABLE prediction_log_metrics (
    pipeline     TEXT    NOT NULL,
    model        TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    day          INTEGER NOT NULL,                    -- start of the day of event time
    metric       TEXT    NOT NULL,                    -- 'auc', 'log_loss', 'positive_rate', ...
    metric_value REAL    NULL,                        -- null where the day has one class only
    predictions  INTEGER NOT NULL,
    outcomes     INTEGER NOT NULL,                    -- of them known
    computed_at  INTEGER NOT NULL,
    PRIMARY KEY (pipeline, model, version, day, metric)
) STRICT, WITHOUT ROWID;

CREATE TABLE prediction_log_drift (
    pipeline     TEXT    NOT NULL,
    model        TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    day          INTEGER NOT NULL,
    feature      TEXT    NOT NULL,
    psi          REAL    NULL,
    rows         INTEGER NOT NULL,
    computed_at  INTEGER NOT NULL,
    PRIMARY KEY (pipeline, model, version, day, feature)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- audit of what people did

CREATE TABLE workflows_audit (
    audit_id    INTEGER PRIMARY KEY AUTOINCREMENT,
    done_at     INTEGER NOT NULL,
    done_by     TEXT    NOT NULL,
    action      TEXT    NOT NULL,                     -- 'run', 'cancel', 'resume', 'pause', 'promote', ...
    subject     TEXT    NOT NULL,
    details     TEXT    NULL
) STRICT;
