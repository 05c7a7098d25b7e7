-- Where retention has removed versions of feature rows: a read as of a sequence below horizon_seq that nobody has pinned sees what is left.
CREATE TABLE feature_store_compactions (
    feature_group  TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    horizon_seq    INTEGER NOT NULL,
    compacted_at   INTEGER NOT NULL,
    PRIMARY KEY (feature_group, version)
) STRICT, WITHOUT ROWID;
