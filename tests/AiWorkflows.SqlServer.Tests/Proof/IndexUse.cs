using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>
/// Whether each table of a statement can be entered by an index: by a condition or a join on the first column of one, or in the order of one where only so many rows are
/// wanted. What a server makes of it is its own; without such an index it has no choice but to go through the table.
/// </summary>
internal sealed class IndexUse
{
    private readonly Dictionary<string, List<string>> _leading = new(StringComparer.OrdinalIgnoreCase);

    public IndexUse(IEnumerable<Source> migrations)
    {
        foreach (var statement in migrations.SelectMany(m => TSqlText.Parse(m.Sql).Statements))
            statement.Accept(new Indexes(_leading));
    }

    /// <summary>Tables of the statement that no index leads into, of those that are named as big.</summary>
    public IReadOnlyList<string> Scans(string sql, IReadOnlySet<string> big)
    {
        var found = new List<string>();
        foreach (var statement in TSqlText.Parse(TSqlText.ExpandLists(sql)).Statements)
            statement.Accept(new Queries(this, big, found));
        return found;
    }

    private bool Leads(string table, IEnumerable<string> columns) => _leading.TryGetValue(table, out var leading) && columns.Any(column => leading.Contains(column, StringComparer.OrdinalIgnoreCase));

    private sealed class Indexes(Dictionary<string, List<string>> leading) : TSqlFragmentVisitor
    {
        public override void Visit(CreateTableStatement node)
        {
            foreach (var key in node.Definition.TableConstraints.OfType<UniqueConstraintDefinition>())
                Add(node.SchemaObjectName, key.Columns[0].Column);
            foreach (var column in node.Definition.ColumnDefinitions.Where(c => c.Constraints.OfType<UniqueConstraintDefinition>().Any()))
                Add(SchemaModel.Name(node.SchemaObjectName), column.ColumnIdentifier.Value);
        }

        public override void Visit(CreateIndexStatement node) => Add(node.OnName, node.Columns[0].Column);

        private void Add(SchemaObjectName table, ColumnReferenceExpression column) => Add(SchemaModel.Name(table), column.MultiPartIdentifier.Identifiers[^1].Value);

        private void Add(string table, string column) => (leading.TryGetValue(table, out var columns) ? columns : leading[table] = []).Add(column);
    }

    private sealed class Queries(IndexUse indexes, IReadOnlySet<string> big, List<string> found) : TSqlFragmentVisitor
    {
        public override void Visit(QuerySpecification node)
        {
            var tables = new Tables();
            foreach (var table in node.FromClause?.TableReferences ?? [])
                tables.Read(table);
            var conditions = new Columns();
            node.WhereClause?.Accept(conditions);
            foreach (var condition in tables.Conditions)
                condition.Accept(conditions);
            string[] ordered = node.OffsetClause is not null && node.OrderByClause?.OrderByElements is [{ Expression: ColumnReferenceExpression first }, ..] ? [Name(first)] : [];
            string[] ends = [.. node.SelectElements.OfType<SelectScalarExpression>().SelectMany(e => Ends(e.Expression))];
            foreach (var (alias, name) in tables.Named.Where(t => big.Contains(t.Name)))
                if (!indexes.Leads(name, conditions.Of(alias, tables.Named.Count == 1).Concat(ordered).Concat(node.WhereClause is null ? ends : [])))
                    found.Add($"{name} {alias}");
        }

        /// <summary>The first and the last of an index are found at its ends.</summary>
        private static IEnumerable<string> Ends(ScalarExpression expression) => expression switch
        {
            FunctionCall { FunctionName.Value: var function, Parameters: [ColumnReferenceExpression column] } when function.ToUpperInvariant() is "MAX" or "MIN" => [Name(column)],
            CoalesceExpression coalesce => coalesce.Expressions.SelectMany(Ends),
            _ => [],
        };
    }

    private sealed class Tables
    {
        public List<(string Alias, string Name)> Named { get; } = [];

        public List<BooleanExpression> Conditions { get; } = [];

        public void Read(TableReference reference)
        {
            switch (reference)
            {
                case NamedTableReference table:
                    Named.Add((table.Alias?.Value ?? table.SchemaObject.BaseIdentifier.Value, SchemaModel.Name(table.SchemaObject)));
                    break;
                case QualifiedJoin join:
                    Conditions.Add(join.SearchCondition);
                    Read(join.FirstTableReference);
                    Read(join.SecondTableReference);
                    break;
                case JoinTableReference join:
                    Read(join.FirstTableReference);
                    Read(join.SecondTableReference);
                    break;
            }
        }
    }

    /// <summary>Columns that are compared as they are; one inside a function leads into no index. What stands in a query of its own belongs to that.</summary>
    private sealed class Columns : TSqlConcreteFragmentVisitor
    {
        private readonly List<(string? Alias, string Name)> _found = [];

        public IEnumerable<string> Of(string alias, bool only) => _found.Where(c => c.Alias is null ? only : string.Equals(c.Alias, alias, StringComparison.OrdinalIgnoreCase)).Select(c => c.Name);

        public override void ExplicitVisit(BooleanComparisonExpression node)
        {
            if (node.ComparisonType is BooleanComparisonType.NotEqualToBrackets or BooleanComparisonType.NotEqualToExclamation)
                return;
            Add(node.FirstExpression);
            Add(node.SecondExpression);
        }

        public override void ExplicitVisit(InPredicate node)
        {
            if (!node.NotDefined)
                Add(node.Expression);
        }

        public override void ExplicitVisit(ScalarSubquery node)
        {
        }

        public override void ExplicitVisit(ExistsPredicate node)
        {
        }

        private void Add(ScalarExpression expression)
        {
            if (expression is ColumnReferenceExpression column)
                _found.Add((column.MultiPartIdentifier.Identifiers is [var alias, _] ? alias.Value : null, Name(column)));
        }
    }

    private static string Name(ColumnReferenceExpression column) => column.MultiPartIdentifier.Identifiers[^1].Value;
}
