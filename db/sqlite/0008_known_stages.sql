-- What a host can execute: hosts of several versions may share a database.
ALTER TABLE workflows_hosts ADD COLUMN stages TEXT NULL;  -- JSON: names as workflow/stage; null: an older version, which does not say
