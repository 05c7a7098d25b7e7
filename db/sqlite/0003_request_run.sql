-- Requests that somebody wrote into the database. A host takes each up within two seconds and writes down what became of it.
-- On SQL Server, workflows.request_run inserts them.
CREATE TABLE workflows_run_requests (
    request_id    INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow      TEXT    NOT NULL,
    window_from   INTEGER NULL,                       -- null, as window_to: whatever the workflow owes
    window_to     INTEGER NULL,
    requested_by  TEXT    NOT NULL,
    login_name    TEXT    NULL,                       -- of the connection that made the request
    requested_at  INTEGER NOT NULL,
    handled_at    INTEGER NULL,
    outcome       TEXT    NULL,                       -- requested | open | resumed | nothing | refused
    run_id        INTEGER NULL,
    message       TEXT    NULL                        -- the outcome as a sentence
) STRICT;
CREATE INDEX ix_run_requests_open ON workflows_run_requests (request_id) WHERE handled_at IS NULL;
