using AiWorkflows.SqlServer.Tests.Proof;
using Microsoft.Data.Sqlite;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace AiWorkflows.SqlServer.Tests;

/// <summary>Both engines have the same migrations, and these make the same tables with the same columns in the same order.</summary>
public sealed class MigrationComparisonTests
{
    private static readonly Dictionary<string, string[]> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        ["INTEGER"] = ["bigint", "int", "bit", "datetime2"],
        ["TEXT"] = ["nvarchar"],
        ["REAL"] = ["float"],
        ["BLOB"] = ["varbinary"],
    };

    [Fact]
    public void The_migrations_have_the_same_numbers_and_names() =>
        Migrations.Of("sqlserver").Select(m => Path.GetFileName(m.Where)).ShouldBe(Migrations.Of("sqlite").Select(m => Path.GetFileName(m.Where)));

    [Fact]
    public void They_make_the_same_tables_columns_and_nullability()
    {
        using var sqlite = Sqlite();
        using var model = SqlServer();
        var there = model.Tables.ToDictionary(t => t.Key.Replace('.', '_'), t => t.Value);
        var here = Read(sqlite, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").Select(r => (string)r[0]).ToArray();
        there.Keys.Order(StringComparer.Ordinal).ShouldBe(here.Order(StringComparer.Ordinal));
        foreach (var table in here)
        {
            var columns = Read(sqlite, $"SELECT name, \"notnull\" OR pk > 0, type FROM pragma_table_info('{table}')");
            Describe(there[table]).ShouldBe(columns.Select(c => $"{table}.{c[0]} {((long)c[1] == 1 ? "not null" : "null")}"));
            var types = there[table].Definition.ColumnDefinitions.Select(c => c.DataType.Name.BaseIdentifier.Value).ToArray();
            for (var i = 0; i < types.Length; i++)
                Types[(string)columns[i][2]].ShouldContain(types[i], $"{table}.{columns[i][0]}");
        }
    }

    [Fact]
    public void No_two_migrations_have_one_number() =>
        Migrations.Of("sqlite").Select(m => Path.GetFileName(m.Where)[..4]).ShouldBeUnique();

    [Fact]
    public void They_make_the_same_views_with_the_same_columns()
    {
        using var sqlite = Sqlite();
        var here = Read(sqlite, "SELECT v.name, c.name FROM sqlite_master v, pragma_table_info(v.name) c WHERE v.type = 'view'").Select(r => $"{r[0]}.{r[1]}");
        // The last definition of a view stands; of a union its first part names the columns.
        Migrations.Of("sqlserver").SelectMany(m => TSqlText.Parse(m.Sql).Statements).OfType<CreateViewStatement>().GroupBy(v => SchemaModel.Name(v.SchemaObjectName)).Select(g => g.Last()).SelectMany(v =>
            FirstOf(v.SelectStatement.QueryExpression).SelectElements.Cast<SelectScalarExpression>()
                .Select(e => $"{SchemaModel.Name(v.SchemaObjectName).Replace('.', '_')}.{e.ColumnName?.Value ?? ((ColumnReferenceExpression)e.Expression).MultiPartIdentifier.Identifiers[^1].Value}"))
            .Order(StringComparer.Ordinal).ShouldBe(here.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_column_that_is_a_key_compares_by_its_bytes_and_every_key_is_short_enough()
    {
        using var model = SqlServer();
        foreach (var (name, table) in model.Tables)
        {
            var columns = table.Definition.ColumnDefinitions.ToDictionary(c => c.ColumnIdentifier.Value, StringComparer.OrdinalIgnoreCase);
            foreach (var key in table.Definition.TableConstraints.OfType<UniqueConstraintDefinition>())
            {
                var keyColumns = key.Columns.Select(c => columns[c.Column.MultiPartIdentifier.Identifiers[^1].Value]).ToArray();
                foreach (var text in keyColumns.Where(c => c.DataType.Name.BaseIdentifier.Value == "nvarchar"))
                    text.Collation?.Value.ShouldBe("Latin1_General_100_BIN2", $"{name}.{text.ColumnIdentifier.Value}");
                keyColumns.Sum(Bytes).ShouldBeLessThanOrEqualTo(key.Clustered == false ? 1700 : 900, $"{name}: {key.ConstraintIdentifier.Value}");
            }
        }
    }

    private static int Bytes(ColumnDefinition column)
    {
        var type = (SqlDataTypeReference)column.DataType;
        return type.Name.BaseIdentifier.Value switch
        {
            "nvarchar" => 2 * int.Parse(type.Parameters[0].Value, System.Globalization.CultureInfo.InvariantCulture),
            "datetime2" or "bigint" => 8,
            _ => 4,
        };
    }

    private static IEnumerable<string> Describe(CreateTableStatement table) => table.Definition.ColumnDefinitions.Select(c =>
        $"{SchemaModel.Name(table.SchemaObjectName).Replace('.', '_')}.{c.ColumnIdentifier.Value} {(c.Constraints.OfType<NullableConstraintDefinition>().Single().Nullable ? "null" : "not null")}");

    private static QuerySpecification FirstOf(QueryExpression query) => query is BinaryQueryExpression union ? FirstOf(union.FirstQueryExpression) : (QuerySpecification)query;

    private static SchemaModel SqlServer()
    {
        var model = new SchemaModel();
        foreach (var migration in Migrations.Of("sqlserver"))
            model.Define(migration);
        return model;
    }

    private static SqliteConnection Sqlite()
    {
        var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        foreach (var migration in Migrations.Of("sqlite"))
        {
            using var command = connection.CreateCommand();
            command.CommandText = migration.Sql;
            command.ExecuteNonQuery();
        }
        return connection;
    }

    private static List<object[]> Read(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<object[]>();
        while (reader.Read())
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }
        return rows;
    }
}
