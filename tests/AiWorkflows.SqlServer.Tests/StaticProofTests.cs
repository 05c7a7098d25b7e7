using AiWorkflows.SqlServer.Tests.Planted;
using AiWorkflows.SqlServer.Tests.Proof;

namespace AiWorkflows.SqlServer.Tests;

/// <summary>Every text that can reach SQL Server parses as T-SQL of 2019, and every name in it is one that the migrations create; no server takes part.</summary>
public sealed class StaticProofTests
{
    [Fact]
    public async Task Everything_that_storage_sends_to_sql_server_fits_the_migrations()
    {
        var proof = await new StaticProof().Scripts(Migrations.Of("sqlserver")).StorageAsync();
        proof.Count.ShouldBeGreaterThan(150);
        NothingWrong(proof.Findings());
    }

    [Theory]
    [InlineData("workflow, window_from DESC", "workflow, windov_from DESC", "0001_initial")]
    [InlineData("b.model, b.version, r.entity_key", "b.model, b.varsion, r.entity_key", "0002_views")]
    [InlineData("o.event_time = p.event_instant", "o.event_tame = p.event_instant", "0002_views")]
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
    [InlineData("OfAnUnknownFunction", "GROUP_CONCAT")]
    [InlineData("WithTooFewValues", "3 columns of workflows.run_pins are given 2 values")]
    [InlineData("WithoutARequiredValue", "version")]
    public void A_mistake_in_the_text_of_a_method_is_found(string method, string mistake)
    {
        var findings = new StaticProof().Scripts(Migrations.Of("sqlserver")).Texts(typeof(Queries), s => s == typeof(Queries).Namespace, []).Findings().Split('\n');
        findings.Where(f => f.StartsWith($"Queries.{method}", StringComparison.Ordinal)).ShouldContain(f => f.Contains(mistake, StringComparison.Ordinal), string.Join("\n", findings));
    }

    /// <summary>The whole list is the message: a difference of two strings would not be readable.</summary>
    private static void NothingWrong(string findings)
    {
        if (findings.Length > 0)
            Assert.Fail(findings);
    }
}
