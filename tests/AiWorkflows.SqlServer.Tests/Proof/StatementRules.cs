using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>What the model does not see: functions that T-SQL does not have, and inserts whose lists do not fit each other or the table.</summary>
internal static class StatementRules
{
    private static readonly HashSet<string> Functions = new(StringComparer.OrdinalIgnoreCase)
    {
        "ABS", "APP_NAME", "AVG", "CEILING", "CHARINDEX", "CONCAT", "CONVERT", "COUNT", "COUNT_BIG", "CURRENT_TRANSACTION_ID", "DATABASEPROPERTYEX", "DATALENGTH", "DATEADD", "DATEDIFF", "DATEDIFF_BIG",
        "DATEPART", "DATETRUNC", "DB_ID", "DB_NAME", "DENSE_RANK", "ERROR_MESSAGE", "ERROR_NUMBER", "FLOOR", "FORMAT", "HAS_PERMS_BY_NAME", "HASHBYTES", "IS_ROLEMEMBER", "ISJSON", "ISNULL",
        "JSON_QUERY", "JSON_VALUE", "LEN", "LOWER", "MAX", "MIN", "NEWID", "OBJECT_ID", "ORIGINAL_LOGIN", "QUOTENAME", "RANK", "REPLACE", "ROUND", "ROW_NUMBER", "SCHEMA_ID", "SCOPE_IDENTITY",
        "SERVERPROPERTY", "STDEV", "STRING_AGG", "STUFF", "SUBSTRING", "SUM", "SUSER_SNAME", "SYSUTCDATETIME", "TYPE_ID", "UPPER", "COLLATIONPROPERTY", "CHANGETABLE", "DATABASE_PRINCIPAL_ID", "USER_NAME", "APPLOCK_TEST", "CONCAT_WS", "CHECKSUM_AGG", "LAG", "LEAD", "PERCENT_RANK", "NTILE", "XACT_STATE",
    };

    public static IEnumerable<string> Mistakes(TSqlStatement statement, IReadOnlyDictionary<string, CreateTableStatement> tables)
    {
        var visitor = new Visitor(tables);
        statement.Accept(visitor);
        return visitor.Mistakes;
    }

    private sealed class Visitor(IReadOnlyDictionary<string, CreateTableStatement> tables) : TSqlFragmentVisitor
    {
        public List<string> Mistakes { get; } = [];

        public override void Visit(FunctionCall node)
        {
            if (node.CallTarget is null && !Functions.Contains(node.FunctionName.Value))
                Mistakes.Add($"T-SQL has no function {node.FunctionName.Value}, or SQL Server 2019 has not; one that it has belongs into the list of {nameof(StatementRules)}");
        }

        public override void Visit(InsertStatement node)
        {
            var insert = node.InsertSpecification;
            if (insert.Target is not NamedTableReference table)
                return;
            var columns = insert.Columns.Select(c => c.MultiPartIdentifier.Identifiers[^1].Value).ToArray();
            var counts = insert.InsertSource switch
            {
                ValuesInsertSource values => values.RowValues.Select(r => r.ColumnValues.Count),
                SelectInsertSource { Select: QuerySpecification query } when query.SelectElements.All(e => e is SelectScalarExpression) => [query.SelectElements.Count],
                _ => [],
            };
            if (columns.Length > 0 && counts.FirstOrDefault(c => c != columns.Length) is var wrong and > 0)
                Mistakes.Add($"{columns.Length} columns of {SchemaModel.Name(table.SchemaObject)} are given {wrong} values");
            if (columns.Length > 0 && tables.TryGetValue(SchemaModel.Name(table.SchemaObject), out var definition))
                foreach (var missing in definition.Definition.ColumnDefinitions.Where(IsRequired).Select(c => c.ColumnIdentifier.Value).Except(columns, StringComparer.OrdinalIgnoreCase))
                    Mistakes.Add($"{SchemaModel.Name(table.SchemaObject)} is given no value for {missing}, which may not be null");
        }

        private static bool IsRequired(ColumnDefinition column) =>
            column.Constraints.OfType<NullableConstraintDefinition>().Any(c => !c.Nullable) && column.DefaultConstraint is null && column.IdentityOptions is null && column.ComputedColumnExpression is null;
    }
}
