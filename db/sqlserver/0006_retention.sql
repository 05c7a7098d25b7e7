SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO

-- Where retention has removed versions of feature rows: a read as of a sequence below horizon_seq that nobody has pinned sees what is left.
CREATE TABLE feature_store.compactions (
    feature_group  nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version        int                                           NOT NULL,
    horizon_seq    bigint                                        NOT NULL,
    compacted_at   datetime2(6)                                  NOT NULL,
    CONSTRAINT pk_compactions PRIMARY KEY CLUSTERED (feature_group, version)
);
