using Microsoft.SqlServer.Dac;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.SqlServer.Dac.Model;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>Text for SQL Server with the place where it stands.</summary>
internal sealed record Source(string Where, string Sql)
{
    /// <summary>Whether the text creates something that other texts name.</summary>
    public bool Creates => Sql.Contains("CREATE TABLE", StringComparison.Ordinal) || Sql.Contains("CREATE VIEW", StringComparison.Ordinal) || Sql.Contains("CREATE OR ALTER VIEW", StringComparison.Ordinal);
}

/// <summary>A model of the database as the migrations leave it; every name in a statement is looked up in it.</summary>
/// <remarks>
/// Not seen: types, the rule of GROUP BY, the text of dynamic SQL.
/// </remarks>
internal sealed partial class SchemaModel : IDisposable
{
    private readonly List<(string Where, TSqlStatement Statement)> _definitions = [];
    private readonly Dictionary<string, CreateTableStatement> _tables = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<Source> _statements = [];
    private readonly List<string> _findings = [];
    private TSqlModel _model = Empty();

    public IReadOnlyDictionary<string, CreateTableStatement> Tables => _tables;

    /// <summary>Adds what a script creates; what else it does is checked with the statements.</summary>
    public void Define(Source script)
    {
        var (statements, errors) = TSqlText.Parse(script.Sql);
        foreach (var error in errors)
            _findings.Add($"{script.Where}, line {error.Line}: {error.Message}");
        foreach (var statement in statements)
            Define(script, statement);
    }

    public void Add(Source statement) => _statements.Add(statement);

    /// <summary>What does not parse, or names what is not there; each line begins with the place.</summary>
    public IReadOnlyList<string> Check()
    {
        if (_findings.Count > 0 || !Build())
            return _findings;
        for (var i = 0; i < _statements.Count; i++)
            Check(_statements[i], i);
        foreach (var message in _model.Validate())
            if (IsMistake(message))
                _findings.Add(Explain(message.Message));
        return [.. _findings.Distinct()];
    }

    public void Dispose() => _model.Dispose();

    private static TSqlModel Empty() => new(SqlServerVersion.Sql150, new TSqlModelOptions());

    private void Define(Source script, TSqlStatement statement)
    {
        switch (statement)
        {
            case IfStatement conditional:
                Define(script, conditional.ThenStatement);
                if (conditional.ElseStatement is { } otherwise)
                    Define(script, otherwise);
                break;
            case BeginEndBlockStatement block:
                foreach (var inner in block.StatementList.Statements)
                    Define(script, inner);
                break;
            case ExecuteStatement { ExecuteSpecification.ExecutableEntity: ExecutableStringList { Strings: [StringLiteral text] } }:
                Define(script with { Sql = text.Value });
                break;
            case CreateTableStatement table:
                _tables[Name(table.SchemaObjectName)] = table;
                _definitions.Add((script.Where, table));
                break;
            case AlterTableAddTableElementStatement alter when _tables.TryGetValue(Name(alter.SchemaObjectName), out var altered):
                foreach (var column in alter.Definition.ColumnDefinitions)
                    altered.Definition.ColumnDefinitions.Add(column);
                foreach (var constraint in alter.Definition.TableConstraints)
                    altered.Definition.TableConstraints.Add(constraint);
                break;
            case CreateOrAlterViewStatement view:
                var created = new CreateViewStatement { SchemaObjectName = view.SchemaObjectName, SelectStatement = view.SelectStatement };
                _definitions.RemoveAll(d => d.Statement is CreateViewStatement v && Name(v.SchemaObjectName) == Name(view.SchemaObjectName));
                _definitions.Add((script.Where, created));
                break;
            case DropViewStatement dropped:
                foreach (var name in dropped.Objects.Select(Name))
                    if (_definitions.RemoveAll(d => d.Statement is CreateViewStatement v && Name(v.SchemaObjectName) == name) == 0)
                        _findings.Add($"{script.Where}: drops {name}, which no migration has created");
                break;
            case AlterTableStatement or PredicateSetStatement or PrintStatement or GrantStatement or DenyStatement or AlterRoleStatement:
                break;
            case InsertStatement or UpdateStatement or DeleteStatement or ExecuteStatement or SelectStatement:
                _statements.Add(new(script.Where, TSqlText.Text(statement)));
                break;
            default:
                _definitions.Add((script.Where, statement));
                break;
        }
    }

    private bool Build()
    {
        // What is created only where it is missing may be said twice.
        foreach (var (where, statement) in _definitions.DistinctBy(d => TSqlText.Text(d.Statement)))
        {
            foreach (var mistake in StatementRules.Mistakes(statement, _tables))
                _findings.Add($"{where}: {mistake}");
            try
            {
                _model.AddObjects(TSqlText.Text(statement));
            }
            catch (DacModelException e)
            {
                _findings.Add($"{where}: {string.Join(" ", e.Messages.Select(m => m.Message).DefaultIfEmpty(e.Message))}");
                return false;
            }
        }
        return true;
    }

    private void Check(Source source, int number)
    {
        var sql = TSqlText.ExpandLists(source.Sql);
        var (statements, errors) = TSqlText.Parse(sql);
        if (errors.Count > 0)
        {
            _findings.Add($"{source.Where}: line {errors[0].Line} of the statement: {errors[0].Message} in: {TSqlText.Collapse(source.Sql)}");
            return;
        }
        foreach (var mistake in statements.SelectMany(s => StatementRules.Mistakes(s, _tables)))
            _findings.Add($"{source.Where}: {mistake}");
        var parameters = TSqlText.Parameters(sql);
        var procedure = $"""
            CREATE PROCEDURE dbo.q_{number}{(parameters.Count == 0 ? "" : " " + string.Join(", ", parameters.Select(p => $"{p} nvarchar(400)")))} AS
            BEGIN
            {sql}
            END
            """;
        try
        {
            _model.AddObjects(procedure);
        }
        catch (DacModelException e)
        {
            _findings.Add($"{source.Where}: {string.Join(" ", e.Messages.Select(m => m.Message).DefaultIfEmpty(e.Message))}");
            // A model that has refused something refuses everything from then on.
            _model.Dispose();
            _model = Empty();
            Build();
        }
    }

    /// <summary>What the engine itself brings is not in the model.</summary>
    private static bool IsMistake(DacModelMessage message) =>
        (message.MessageType == DacMessageType.Error || message.Number is 71502 or 71005) && !OfTheEngine().IsMatch(message.Message);

    private string Explain(string message)
    {
        var text = Preamble().Replace(message, "");
        var procedure = Procedure().Match(text);
        if (procedure.Success)
            return $"{_statements[int.Parse(procedure.Groups[1].Value, CultureInfo.InvariantCulture)].Where}: the statement {text[(procedure.Index + procedure.Length)..].Trim()}";
        // The longest name that is mentioned first: an index stands on a table, and a view reads others.
        var definition = _definitions.Select(d => (d.Where, At: DefinedName(d.Statement) is { } name ? text.IndexOf(name, StringComparison.OrdinalIgnoreCase) : -1, DefinedName(d.Statement)?.Length))
            .Where(d => d.At >= 0).OrderBy(d => d.At).ThenByDescending(d => d.Length).FirstOrDefault();
        return $"{definition.Where ?? "migrations"}: {text}";
    }

    private static string? DefinedName(TSqlStatement statement) => statement switch
    {
        CreateTableStatement s => Bracketed(s.SchemaObjectName),
        CreateViewStatement s => Bracketed(s.SchemaObjectName),
        CreateProcedureStatement s => Bracketed(s.ProcedureReference.Name),
        CreateIndexStatement s => $"{Bracketed(s.OnName)}.[{s.Name.Value}]",
        _ => null,
    };

    public static string Name(SchemaObjectName name) => $"{name.SchemaIdentifier?.Value ?? "dbo"}.{name.BaseIdentifier.Value}";

    private static string Bracketed(SchemaObjectName name) => $"[{name.SchemaIdentifier?.Value ?? "dbo"}].[{name.BaseIdentifier.Value}]";

    [GeneratedRegex(@"^Error validating element \S+: ")]
    private static partial Regex Preamble();

    [GeneratedRegex(@"^\s*\w+: \[dbo\]\.\[q_(\d+)\]")]
    private static partial Regex Procedure();

    [GeneratedRegex(@"\[sys\]\.|object \[(dbo\]\.\[)?sp_(getapplock|releaseapplock|executesql)\]")]
    private static partial Regex OfTheEngine();
}
