-- Rights, as roles. Run it once after the migrations, as a member of db_owner, and again after a new feature group: analysts see its view from then on.
-- It may be run at any time; nothing is taken away from anybody.
--   ALTER ROLE aiworkflows_host ADD MEMBER [DOMAIN\service];

-- A host: reads and writes all tables, creates none. Whoever migrates is a member of db_owner, or of db_ddladmin and this role.
IF DATABASE_PRINCIPAL_ID(N'aiworkflows_host') IS NULL CREATE ROLE aiworkflows_host;
GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON SCHEMA::workflows TO aiworkflows_host;
GRANT SELECT, INSERT, UPDATE, DELETE ON SCHEMA::feature_store TO aiworkflows_host;
GRANT SELECT, INSERT, UPDATE, DELETE ON SCHEMA::model_registry TO aiworkflows_host;
GRANT SELECT, INSERT, UPDATE, DELETE ON SCHEMA::prediction_log TO aiworkflows_host;
-- Job queues; the first host that may creates their schema.
IF SCHEMA_ID(N'hangfire') IS NOT NULL EXEC (N'GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON SCHEMA::hangfire TO aiworkflows_host');

-- An analyst: the views and tables that docs/sql.md documents, and the view of each feature group.
IF DATABASE_PRINCIPAL_ID(N'aiworkflows_analyst') IS NULL CREATE ROLE aiworkflows_analyst;
GRANT SELECT ON workflows.runs TO aiworkflows_analyst;
GRANT SELECT ON workflows.stage_runs TO aiworkflows_analyst;
GRANT SELECT ON workflows.attempts TO aiworkflows_analyst;
GRANT SELECT ON workflows.stage_logs TO aiworkflows_analyst;
GRANT SELECT ON workflows.watermarks TO aiworkflows_analyst;
GRANT SELECT ON workflows.audit TO aiworkflows_analyst;
GRANT SELECT ON workflows.run_requests TO aiworkflows_analyst;
GRANT SELECT ON feature_store.feature_groups TO aiworkflows_analyst;
GRANT SELECT ON feature_store.commits TO aiworkflows_analyst;
GRANT SELECT ON feature_store.commit_inputs TO aiworkflows_analyst;
GRANT SELECT ON feature_store.quarantine TO aiworkflows_analyst;
GRANT SELECT ON feature_store.lineage TO aiworkflows_analyst;
GRANT SELECT ON feature_store.compactions TO aiworkflows_analyst;
GRANT SELECT ON feature_store.training_datasets TO aiworkflows_analyst;
GRANT SELECT ON feature_store.dataset_commits TO aiworkflows_analyst;
GRANT SELECT ON model_registry.models TO aiworkflows_analyst;
GRANT SELECT ON model_registry.versions TO aiworkflows_analyst;
GRANT SELECT ON model_registry.aliases TO aiworkflows_analyst;
GRANT SELECT ON model_registry.alias_history TO aiworkflows_analyst;
GRANT SELECT ON prediction_log.predictions TO aiworkflows_analyst;
GRANT SELECT ON prediction_log.predictions_all TO aiworkflows_analyst;
GRANT SELECT ON prediction_log.scored TO aiworkflows_analyst;
GRANT SELECT ON prediction_log.batches TO aiworkflows_analyst;
GRANT SELECT ON prediction_log.batch_commits TO aiworkflows_analyst;
GRANT SELECT ON prediction_log.outcomes TO aiworkflows_analyst;
GRANT SELECT ON prediction_log.metrics TO aiworkflows_analyst;
GRANT SELECT ON prediction_log.drift TO aiworkflows_analyst;

DECLARE @grants nvarchar(max) = N'';
SELECT @grants = @grants + N'GRANT SELECT ON feature_store.' + QUOTENAME(v.name) + N' TO aiworkflows_analyst; '
FROM sys.views v
WHERE v.schema_id = SCHEMA_ID(N'feature_store');
EXEC sp_executesql @grants;

-- A requester: may ask for runs and nothing else, for jobs of SQL Server Agent.
IF DATABASE_PRINCIPAL_ID(N'aiworkflows_requester') IS NULL CREATE ROLE aiworkflows_requester;
GRANT EXECUTE ON workflows.request_run TO aiworkflows_requester;
