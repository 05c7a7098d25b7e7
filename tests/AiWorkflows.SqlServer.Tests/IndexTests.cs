using AiWorkflows.SqlServer.Tests.Proof;
using AiWorkflows.Storage;

namespace AiWorkflows.SqlServer.Tests;

/// <summary>What people ask enters each table that grows by an index, on a server as on SQLite, whose own plans are tested there.</summary>
public sealed class IndexTests
{
    private static readonly HashSet<string> Big = new(StringComparer.OrdinalIgnoreCase)
    {
        "workflows.runs", "workflows.stage_runs", "workflows.stage_logs", "workflows.attempts", "workflows.run_edges", "workflows.audit", "feature_store.commits", "feature_store.commit_inputs", "feature_store.quarantine",
        "prediction_log.batches", "prediction_log.prediction_rows", "prediction_log.online_rows", "prediction_log.outcomes", "prediction_log.superseded", "prediction_log.metrics", "prediction_log.drift", "model_registry.alias_history",
    };

    [Fact]
    public async Task Every_statement_of_the_dashboard_enters_big_tables_by_an_index()
    {
        var recorded = await ComposedStatements.RecordAsync(Groups.All);
        var statements = new StorageStatements(CompiledTexts.Of(typeof(StoreDatabase).Assembly.Location, space => space == "AiWorkflows.Storage.Queries"), recorded, new RecordingDatabase().Rendered).Statements
            .Where(s => s.Where.Contains("DashboardQueries.", StringComparison.Ordinal) || s.Where.Contains("BackfillQueries.", StringComparison.Ordinal)).ToArray();
        statements.Length.ShouldBeGreaterThan(40);
        var indexes = new IndexUse(Migrations.Of("sqlserver"));
        string.Join("\n", statements.SelectMany(s => indexes.Scans(s.Sql, Big).Select(table => $"{s.Where}: no index leads into {table}: {TSqlText.Collapse(s.Sql)}")).Distinct()).ShouldBe("");
    }

    [Theory]
    [InlineData("SELECT r.run_id FROM workflows.runs r WHERE r.triggered_by = 'sql'", "workflows.runs r")]
    [InlineData("SELECT COUNT(*) FROM prediction_log.prediction_rows", "prediction_log.prediction_rows prediction_rows")]
    [InlineData("SELECT r.run_id FROM workflows.runs r WHERE UPPER(r.workflow) = 'X'", "workflows.runs r")]
    [InlineData("SELECT b.batch_id FROM prediction_log.batches b JOIN prediction_log.prediction_rows r ON r.score = b.positive_share WHERE b.batch_id = 1", "prediction_log.prediction_rows r")]
    [InlineData("SELECT s.step FROM workflows.stage_runs s WHERE EXISTS (SELECT 1 FROM workflows.runs r WHERE r.run_id = 1)", "workflows.stage_runs s")]
    public void A_statement_that_has_no_index_is_found(string sql, string table) => new IndexUse(Migrations.Of("sqlserver")).Scans(sql, Big).ShouldBe([table]);

    [Theory]
    [InlineData("SELECT r.run_id FROM workflows.runs r WHERE r.workflow = 'w' AND r.run_id < 7")]
    [InlineData("SELECT COALESCE(MAX(run_id), 0) FROM workflows.runs")]
    [InlineData("SELECT run_id FROM workflows.runs ORDER BY run_id DESC OFFSET 0 ROWS FETCH NEXT 10 ROWS ONLY")]
    [InlineData("SELECT r.score FROM prediction_log.batches b JOIN prediction_log.prediction_rows r ON r.batch_id = b.batch_id WHERE b.run_id = 1")]
    public void A_statement_that_has_one_is_not(string sql) => new IndexUse(Migrations.Of("sqlserver")).Scans(sql, Big).ShouldBeEmpty();
}
