-- What a host can execute: hosts of several versions may share a database.
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO

ALTER TABLE workflows.hosts ADD
    stages  nvarchar(max) NULL;  -- JSON: names as workflow/stage; null: an older version, which does not say
GO
