SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO

-- Keys that let people and programs in. The key itself is nowhere: hash is the SHA-256 of it, and key_id its part that may be shown.
CREATE TABLE workflows.api_keys (
    key_id      nvarchar(32)  COLLATE Latin1_General_100_BIN2 NOT NULL,
    key_name    nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    role        nvarchar(16)  COLLATE Latin1_General_100_BIN2 NOT NULL,                      -- viewer | operator
    hash        nvarchar(64)  COLLATE Latin1_General_100_BIN2 NOT NULL,
    created_at  datetime2(6)                                  NOT NULL,
    created_by  nvarchar(256)                                 NOT NULL,
    expires_at  datetime2(6)                                  NULL,
    revoked_at  datetime2(6)                                  NULL,
    revoked_by  nvarchar(256)                                 NULL,
    CONSTRAINT pk_api_keys PRIMARY KEY CLUSTERED (key_id)
);
CREATE UNIQUE INDEX ux_api_keys_name ON workflows.api_keys (key_name) WHERE revoked_at IS NULL;

-- What cookies are encrypted with: all hosts of a database know each other's, and they survive a restart.
CREATE TABLE workflows.protection_keys (
    protection_key_id bigint IDENTITY(1, 1) NOT NULL,
    friendly_name     nvarchar(256)         NOT NULL,
    xml               nvarchar(max)         NOT NULL,
    created_at        datetime2(6)          NOT NULL,
    CONSTRAINT pk_protection_keys PRIMARY KEY CLUSTERED (protection_key_id)
);
GO

-- The address that somebody acted from; null on the command line and in the host's own work.
ALTER TABLE workflows.audit ADD done_from nvarchar(64) NULL;
