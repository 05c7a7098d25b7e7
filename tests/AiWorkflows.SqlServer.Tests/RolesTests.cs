using System.Text.RegularExpressions;
using AiWorkflows.SqlServer.Tests.Proof;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace AiWorkflows.SqlServer.Tests;

/// <summary>db/sqlserver/roles.sql gives what its roles need and nothing else.</summary>
public sealed partial class RolesTests
{
    private static readonly Source Script = new("roles.sql", Repository.Read("db/sqlserver/roles.sql"));

    [Fact]
    public void The_script_parses_and_names_only_what_the_migrations_create()
    {
        new StaticProof().Scripts(Migrations.Of("sqlserver")).Scripts([Script]).Findings().ShouldBe("");
        using var model = new SchemaModel();
        foreach (var migration in Migrations.Of("sqlserver"))
            model.Define(migration);
        var known = model.Tables.Keys.Concat(Views()).Append("workflows.request_run").ToHashSet(StringComparer.OrdinalIgnoreCase);
        Grants().Where(g => g.Kind == SecurityObjectKind.NotSpecified).Select(g => g.On).Except(known).ShouldBeEmpty();
    }

    [Fact]
    public void An_analyst_reads_what_the_page_documents_and_nothing_else()
    {
        var documented = Section().Matches(Repository.Read("docs/sql.md")).Select(m => Dotted(m.Groups[1].Value));
        var granted = Grants().Where(g => g.To == "aiworkflows_analyst").ToArray();
        granted.ShouldAllBe(g => g.Rights == "SELECT" && g.Kind == SecurityObjectKind.NotSpecified);
        granted.Select(g => g.On).Order(StringComparer.Ordinal).ShouldBe(documented.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_requester_may_execute_the_procedure_and_nothing_else() =>
        Grants().Where(g => g.To == "aiworkflows_requester").ShouldHaveSingleItem().ShouldBe(("aiworkflows_requester", SecurityObjectKind.NotSpecified, "workflows.request_run", "EXECUTE"));

    [Fact]
    public void A_host_reads_and_writes_every_schema_and_owns_none()
    {
        var granted = Grants().Where(g => g.To == "aiworkflows_host").ToArray();
        granted.Select(g => g.On).ShouldBe(["workflows", "feature_store", "model_registry", "prediction_log", "hangfire"]);
        granted.ShouldAllBe(g => g.Kind == SecurityObjectKind.Schema && !g.Rights.Contains("CONTROL") && !g.Rights.Contains("ALTER"));
    }

    private static IEnumerable<(string To, SecurityObjectKind Kind, string On, string Rights)> Grants()
    {
        var collector = new Collector();
        foreach (var statement in TSqlText.Parse(Script.Sql).Statements)
            statement.Accept(collector);
        return collector.Grants.Select(g => (
            g.Principals.Single().Identifier.Value, g.SecurityTargetObject.ObjectKind, string.Join('.', g.SecurityTargetObject.ObjectName.MultiPartIdentifier.Identifiers.Select(i => i.Value)),
            string.Join(", ", g.Permissions.Select(p => string.Join(' ', p.Identifiers.Select(i => i.Value))))));
    }

    private static IEnumerable<string> Views() => Migrations.Of("sqlserver").SelectMany(m => TSqlText.Parse(m.Sql).Statements).OfType<CreateViewStatement>().Select(v => SchemaModel.Name(v.SchemaObjectName));

    private static string Dotted(string table) => new[] { "workflows", "feature_store", "model_registry", "prediction_log" }
        .Where(s => table.StartsWith(s + "_", StringComparison.Ordinal)).Select(s => $"{s}.{table[(s.Length + 1)..]}").Single();

    private sealed class Collector : TSqlFragmentVisitor
    {
        public List<GrantStatement> Grants { get; } = [];

        public override void Visit(GrantStatement node) => Grants.Add(node);

        public override void Visit(ExecutableStringList node)
        {
            foreach (var text in node.Strings.OfType<StringLiteral>())
                foreach (var statement in TSqlText.Parse(text.Value).Statements)
                    statement.Accept(this);
        }
    }

    [GeneratedRegex(@"^### `([a-z_]+)`$", RegexOptions.Multiline)]
    private static partial Regex Section();
}
