using AiWorkflows.Features;
using AiWorkflows.SqlServer.Tests.Planted;
using AiWorkflows.SqlServer.Tests.Proof;
using AiWorkflows.Storage.SqlServer;

namespace AiWorkflows.SqlServer.Tests;

/// <summary>Every text that can reach SQL Server parses as T-SQL of 2019, and every name in it is one that the migrations create; no server takes part.</summary>
public sealed class StaticProofTests
{
    private static readonly Lazy<string> PlantedFindings = new(() =>
        new StaticProof().Scripts(Migrations.Of("sqlserver")).Texts(typeof(Queries), s => s == typeof(Queries).Namespace, []).Findings());

    [Fact]
    public async Task Everything_that_storage_sends_to_sql_server_fits_the_migrations()
    {
        Groups.Reference.Count.ShouldBe(7);
        var proof = await new StaticProof().Scripts(Migrations.Of("sqlserver")).StorageAsync(Groups.All);
        proof.Count.ShouldBeGreaterThan(250);
        NothingWrong(proof.Findings());
    }

    [Fact]
    public async Task The_script_that_migrate_prints_for_feature_groups_fits_the_migrations()
    {
        await using var database = new SqlServerDatabase("Server=nowhere;Database=none");
        var script = await new SqlServerFeatureStore(database).ScriptAsync([.. Groups.All.Select(g => new RegisteredGroup(g, "somebody's"))], isEmpty: true, TestContext.Current.CancellationToken);
        script.ShouldContain("CREATE TABLE feature_store.departures_v1_rows");
        NothingWrong(new StaticProof().Scripts(Migrations.Of("sqlserver")).Scripts([new("migrate --script", script)]).Findings());
    }

    [Theory]
    [InlineData("workflow, window_from DESC", "workflow, windov_from DESC", "0001_initial")]
    [InlineData("b.model, b.version, r.entity_key", "b.model, b.varsion, r.entity_key", "0010_online")]
    [InlineData("o.event_time = p.event_instant", "o.event_tame = p.event_instant", "0010_online")]
    [InlineData("INSERT INTO feature_store.publication_clock (clock_id, seq,", "INSERT INTO feature_store.publication_clock (clock_id, sec,", "0001_initial")]
    public void A_misspelt_column_in_a_migration_is_found(string right, string wrong, string migration)
    {
        var scripts = Migrations.Of("sqlserver");
        var planted = scripts.Select(s => s with { Sql = s.Sql.Replace(right, wrong, StringComparison.Ordinal) }).ToArray();
        planted.ShouldNotBe(scripts);
        var findings = new StaticProof().Scripts(planted).Findings();
        findings.ShouldContain(migration);
        findings.ShouldContain(wrong.Split(' ', ',', '(', '.').Except(right.Split(' ', ',', '(', '.')).Single());
    }

    [Theory]
    [InlineData("InAConstant", "workflw")]
    [InlineData("InAPart", "windou_from")]
    [InlineData("InAnAsynchronousMethodAsync", "finnished_at")]
    [InlineData("InALambda", "last_sean")]
    [InlineData("Composed", "worcflow")]
    [InlineData("InATemporaryTable", "entity_kay")]
    [InlineData("OfAnUnknownFunction", "GROUP_CONCAT")]
    [InlineData("WithTooFewValues", "3 columns of workflows.run_pins are given 2 values")]
    [InlineData("WithoutARequiredValue", "version")]
    public void A_mistake_in_the_text_of_a_method_is_found(string method, string mistake)
    {
        PlantedFindings.Value.Split('\n').Where(f => f.StartsWith($"Queries.{method}", StringComparison.Ordinal))
            .ShouldContain(f => f.Contains(mistake, StringComparison.Ordinal), PlantedFindings.Value);
    }

    [Theory]
    [InlineData("CreateView")]
    [InlineData("Scan")]
    [InlineData("Seek")]
    [InlineData("SeekNewest")]
    [InlineData("Copy")]
    public void A_misspelt_column_in_a_generated_statement_is_found(string generator)
    {
        var group = Groups.Reference.Single(g => g.Name == "departures");
        var column = group.Features[0].Name;
        var statements = GeneratedStatements.Defining(group).Concat(GeneratedStatements.Using(group, group.Columns)).Select(s => new Source(
            s.Where, s.Where.Contains($".{generator}(", StringComparison.Ordinal) ? s.Template.Replace($"[{column}]", $"[{column}x]", StringComparison.Ordinal) : s.Template)).ToArray();
        var findings = new StaticProof().Scripts(Migrations.Of("sqlserver")).Statements(statements).Findings();
        foreach (var finding in findings.Split('\n'))
        {
            finding.ShouldStartWith($"SqlServerGroupTable.{generator}({group})");
            finding.ShouldContain($"{column}x");
        }
    }

    /// <summary>The whole list is the message: a difference of two strings would not be readable.</summary>
    private static void NothingWrong(string findings)
    {
        if (findings.Length > 0)
            Assert.Fail(findings);
    }
}
