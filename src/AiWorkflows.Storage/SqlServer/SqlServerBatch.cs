using System.Data;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Dapper;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>A batch as the one text that is sent, with BEGIN and COMMIT in it.</summary>
internal sealed partial class SqlServerBatch
{
    /// <summary>A statement takes at most 1,000.</summary>
    private const int RowsPerInsert = 500;

    private readonly StringBuilder _text = new();
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly StoreDatabase _database;
    private readonly BatchStep[] _finding;
    private int _statement;

    /// <param name="database">Renders the templates.</param>
    public SqlServerBatch(StoreDatabase database, StatementBatch batch)
    {
        _database = database;
        _finding = [.. batch.Steps.Where(s => s.Type is not null)];
        _text.Append("SET XACT_ABORT, NOCOUNT ON;\n");
        foreach (var step in _finding)
            _text.Append(CultureInfo.InvariantCulture, $"DECLARE @{step.Name} {TypeOf(step.Type!)};\n");
        _text.Append("BEGIN TRANSACTION;\n");
        foreach (var step in batch.Steps)
            Append(step);
        _text.Append(CultureInfo.InvariantCulture, $"COMMIT TRANSACTION;\nSELECT CAST(NULL AS nvarchar(100)) AS [stopped]{string.Concat(_finding.Select(s => $", @{s.Name} AS [{s.Name}]"))};\n");
    }

    public string Text => _text.ToString();

    public DynamicParameters Parameters { get; } = new();

    /// <summary>The row that the text ends with.</summary>
    public BatchOutcome Read(IDataReader reader)
    {
        if (!reader.Read())
            throw new InvalidOperationException("The database has not said how a transaction ended.");
        var found = new Dictionary<string, object?>(StringComparer.Ordinal);
        if (!reader.IsDBNull(0))
            return new(reader.GetString(0), found);
        for (var i = 0; i < _finding.Length; i++)
            found[_finding[i].Name] = reader.GetValue(i + 1) switch
            {
                DBNull => null,
                DateTime time => new Utc(DateTime.SpecifyKind(time, DateTimeKind.Utc)),
                var value => value,
            };
        return new(null, found);
    }

    private void Append(BatchStep step)
    {
        _statement++;
        switch (step.Kind)
        {
            case BatchStepKind.PutRows:
                AppendRows(step);
                break;
            case BatchStepKind.PutRow:
                _text.Append(CultureInfo.InvariantCulture, $"{Own(Generated().Replace(step.Template, ""), step.Rows[0])};\nSET @{step.Name} = SCOPE_IDENTITY();\n");
                break;
            case BatchStepKind.Find:
                _text.Append(CultureInfo.InvariantCulture, $"SET @{step.Name} = ({Own(step.Template, step.Rows[0])});\n");
                break;
            case BatchStepKind.Must:
                _text.Append(CultureInfo.InvariantCulture, $"{Own(step.Template, step.Rows[0])};\nIF @@ROWCOUNT <> 1 {Stop(step)}\n");
                break;
            case BatchStepKind.Never:
                _text.Append(CultureInfo.InvariantCulture, $"IF ({Own(step.Template, step.Rows[0])}) <> 0 {Stop(step)}\n");
                break;
            default:
                _text.Append(CultureInfo.InvariantCulture, $"{Own(step.Template, step.Rows[0])};\n");
                break;
        }
    }

    private static string Stop(BatchStep step) => $"BEGIN ROLLBACK TRANSACTION; SELECT N'{step.Name}' AS [stopped]; RETURN; END;";

    /// <summary>The statement with parameters of its own, numbered by statement; what was found keeps its name.</summary>
    private string Own(string template, object parameters) => Parameter().Replace(_database.Sql(template), match =>
    {
        var name = match.Groups[1].Value;
        if (parameters.GetType().GetProperty(name) is not { } property)
            return Array.Exists(_finding, s => s.Name == name) ? match.Value : throw new ArgumentException($"A statement of a batch lacks its parameter {name}.");
        var own = $"s{_statement}_{name}";
        Parameters.Add(own, property.GetValue(parameters), DbTypeOf(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType, property.GetValue(parameters)));
        return $"@{own}";
    });

    /// <summary>Many rows in one statement. Numbers and times are written out, for there may be more of them than parameters; texts, of which few differ, are not.</summary>
    private void AppendRows(BatchStep step)
    {
        var sql = _database.Sql(step.Template);
        var at = sql.LastIndexOf("VALUES", StringComparison.Ordinal) + "VALUES".Length;
        foreach (var rows in step.Rows.Chunk(RowsPerInsert))
            _text.Append(sql, 0, at).AppendJoin(',', rows.Select(row => Parameter().Replace(sql[at..], match =>
                row.GetType().GetProperty(match.Groups[1].Value) is { } property ? Literal(property.GetValue(row)) : match.Value))).Append(";\n");
    }

    private string Literal(object? value) => value switch
    {
        null => "NULL",
        long or int => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
        Utc time => $"CAST('{time.Value.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", CultureInfo.InvariantCulture)}' AS datetime2(6))",
        string text => TextParameter(text),
        _ => throw new ArgumentException($"A row of a batch holds a {value.GetType().Name}."),
    };

    private string TextParameter(string text)
    {
        if (!_texts.TryGetValue(text, out var name))
        {
            _texts.Add(text, name = $"t{_texts.Count}");
            Parameters.Add(name, text, DbType.String);
        }
        return $"@{name}";
    }

    private static string TypeOf(Type type) =>
        type == typeof(int) ? "int" : type == typeof(long) ? "bigint" : type == typeof(Utc) ? "datetime2(6)" : throw new ArgumentException($"A batch finds no {type.Name}.");

    /// <summary>Said for every null too: without a type it would be a text. Null leaves an instant to its own handler.</summary>
    private static DbType? DbTypeOf(Type type, object? value) =>
        type == typeof(Utc) ? (value is null ? DbType.DateTime2 : null)
        : type == typeof(byte[]) ? DbType.Binary
        : type == typeof(long) ? DbType.Int64
        : type == typeof(int) ? DbType.Int32
        : type == typeof(double) ? DbType.Double
        : type == typeof(string) ? DbType.String
        : throw new ArgumentException($"A parameter of a batch is a {type.Name}.");

    [GeneratedRegex(@"(?<!@)@(\w+)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\{(?:inserted|returning):[^}]*\}\s*")]
    private static partial Regex Generated();
}
