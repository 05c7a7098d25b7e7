using System.Text.RegularExpressions;
using AiWorkflows.SqlServer.Tests.Proof;

namespace AiWorkflows.SqlServer.Tests;

/// <summary>What docs/sql-server.md tells people to type.</summary>
public sealed partial class DocumentTests
{
    private static readonly string Document = Repository.Read("docs/sql-server.md");

    [Fact]
    public void Every_query_of_the_page_on_sql_is_there_in_t_sql() =>
        Title().Matches(Document).Select(m => m.Groups[1].Value).ShouldBe(Title().Matches(Repository.Read("docs/sql.md")).Select(m => m.Groups[1].Value));

    [Fact]
    public void Every_statement_parses_and_names_only_what_the_migrations_create()
    {
        var statements = Block().Matches(Document).Select((m, i) => new Source($"block {i + 1}", m.Groups[1].Value))
            .Concat(Line().Matches(Document).Select(m => new Source(m.Value.Trim(), m.Value.Trim()))).Where(s => !s.Sql.TrimStart().StartsWith("CREATE ", StringComparison.Ordinal) && !s.Sql.StartsWith("ALTER ", StringComparison.Ordinal)).ToArray();
        statements.Length.ShouldBeGreaterThan(15);
        new StaticProof().Scripts(Migrations.Of("sqlserver")).Statements(statements).Findings().ShouldBe("");
    }

    [Fact]
    public void Each_query_gives_the_columns_of_its_twin()
    {
        foreach (var (here, there) in Columns(Document, "tsql").Zip(Columns(Repository.Read("docs/sql.md"), "sql")))
            here.ShouldBe(there);
    }

    /// <summary>Per query, the names that the outermost list of columns gives.</summary>
    private static IEnumerable<string> Columns(string document, string language) =>
        Regex.Matches(document, $@"^### \d+\. [^\n]+\n(?:(?!^###)[^\n]*\n)*?```{language}\n(.*?)```", RegexOptions.Multiline | RegexOptions.Singleline).Select(m =>
        {
            var text = m.Groups[1].Value;
            var select = Regex.Matches(text, @"^SELECT (?:TOP \(\d+\) )?(.*?)^FROM", RegexOptions.Multiline | RegexOptions.Singleline)[^1].Groups[1].Value;
            var parts = new List<string> { "" };
            var depth = 0;
            foreach (var c in select)
            {
                depth += c == '(' ? 1 : c == ')' ? -1 : 0;
                if (c == ',' && depth == 0)
                    parts.Add("");
                else
                    parts[^1] += c;
            }
            return string.Join(" ", parts.Select(p => Regex.Match(p.Trim(), @"(\w+)$").Value));
        });

    [GeneratedRegex(@"^### (\d+\. [^\n]+)$", RegexOptions.Multiline)]
    private static partial Regex Title();

    [GeneratedRegex(@"^ *```tsql\n(.*?)^ *```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^    (EXEC|SELECT) .*$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
