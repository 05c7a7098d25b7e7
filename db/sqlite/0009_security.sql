-- Keys that let people and programs in. The key itself is nowhere: hash is the SHA-256 of it, and key_id its part that may be shown.
CREATE TABLE workflows_api_keys (
    key_id      TEXT    NOT NULL PRIMARY KEY,
    key_name    TEXT    NOT NULL,
    role        TEXT    NOT NULL,                     -- viewer | operator
    hash        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    created_by  TEXT    NOT NULL,
    expires_at  INTEGER NULL,
    revoked_at  INTEGER NULL,
    revoked_by  TEXT    NULL
) STRICT;
CREATE UNIQUE INDEX ux_api_keys_name ON workflows_api_keys (key_name) WHERE revoked_at IS NULL;

-- What cookies are encrypted with: all hosts of a database know each other's, and they survive a restart.
CREATE TABLE workflows_protection_keys (
    protection_key_id INTEGER PRIMARY KEY AUTOINCREMENT,
    friendly_name     TEXT    NOT NULL,
    xml               TEXT    NOT NULL,
    created_at        INTEGER NOT NULL
) STRICT;

-- The address that somebody acted from; null on the command line and in the host's own work.
ALTER TABLE workflows_audit ADD COLUMN done_from TEXT NULL;
