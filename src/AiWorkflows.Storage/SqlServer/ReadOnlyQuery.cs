using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>Whether a text is one SELECT: decided by T-SQL's grammar, not by what the text looks like.</summary>
internal static class ReadOnlyQuery
{
    /// <exception cref="InvalidRequestException">It is not, or it cannot be parsed.</exception>
    public static void Check(string sql)
    {
        var fragment = new TSql160Parser(initialQuotedIdentifiers: true).Parse(new StringReader(sql), out var errors);
        if (errors.Count > 0)
            throw new InvalidRequestException($"The query is wrong: {errors[0].Message.TrimEnd('.')} (line {errors[0].Line}, column {errors[0].Column}).");
        var statements = ((TSqlScript)fragment).Batches.SelectMany(b => b.Statements).ToList();
        if (statements.Count == 0)
            throw new InvalidRequestException("There is no query; write SELECT …");
        if (statements.Count > 1)
            throw new InvalidRequestException($"Only one query is allowed here; these are {statements.Count} statements.");
        if (statements[0] is not SelectStatement select)
            throw new InvalidRequestException("Only queries are allowed here; this statement would write or change something. Write SELECT …");
        if (select.Into is not null)
            throw new InvalidRequestException("Only queries are allowed here; SELECT … INTO would create a table.");
        var effects = new Effects();
        select.Accept(effects);
        if (effects.Found is { } found)
            throw new InvalidRequestException($"Only queries are allowed here; {found} could change something outside of this query's transaction.");
    }

    /// <summary>What a SELECT can contain that a rollback does not undo, or that writes in another place.</summary>
    private sealed class Effects : TSqlFragmentVisitor
    {
        public string? Found { get; private set; }

        public override void Visit(OpenQueryTableReference node) => Found = "OPENQUERY";

        public override void Visit(OpenRowsetTableReference node) => Found = "OPENROWSET";

        public override void Visit(AdHocTableReference node) => Found = "OPENDATASOURCE";

        public override void Visit(DataModificationTableReference node) => Found = "a statement that writes within the query";

        public override void Visit(NextValueForExpression node) => Found = "NEXT VALUE FOR";
    }
}
