using System.Text.RegularExpressions;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>T-SQL of SQL Server 2019 as a syntax tree.</summary>
internal static partial class TSqlText
{
    /// <summary>The statements of a script, and what is wrong with it.</summary>
    public static (IReadOnlyList<TSqlStatement> Statements, IReadOnlyList<ParseError> Errors) Parse(string sql)
    {
        var fragment = new TSql150Parser(initialQuotedIdentifiers: true).Parse(new StringReader(sql), out var errors);
        return (fragment is TSqlScript script ? [.. script.Batches.SelectMany(b => b.Statements)] : [], [.. errors]);
    }

    public static string Text(TSqlFragment fragment)
    {
        new Sql150ScriptGenerator().GenerateScript(fragment, out var sql);
        return sql;
    }

    /// <summary>Dapper writes the elements of a list in place of its parameter.</summary>
    public static string ExpandLists(string sql) => ListParameter().Replace(sql, "IN (@$1)");

    /// <summary>Makes an ordinary table of each temporary one, whose columns the model would not look up.</summary>
    public static string KeepTemporary(string sql) => Temporary().Replace(sql, "$1dbo.temporary_$2");

    /// <summary>The variables that a statement reads and does not declare.</summary>
    public static IReadOnlyList<string> Parameters(string sql)
    {
        var used = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var tokens = new TSql150Parser(true).GetTokenStream(new StringReader(sql), out _);
        foreach (var token in tokens)
            if (token.TokenType == TSqlTokenType.Variable && !token.Text.StartsWith("@@", StringComparison.Ordinal))
                used.Add(token.Text);
        foreach (Match declared in Declared().Matches(sql))
            used.Remove(declared.Groups[1].Value);
        return [.. used];
    }

    public static string Collapse(string sql) => Blank().Replace(sql, " ").Trim();

    [GeneratedRegex(@"\bIN\s+@(\w+)")]
    private static partial Regex ListParameter();

    [GeneratedRegex(@"\bDECLARE\s+(@\w+)")]
    private static partial Regex Declared();

    [GeneratedRegex(@"(^|[\s(])#([A-Za-z_]\w*)")]
    private static partial Regex Temporary();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();
}
