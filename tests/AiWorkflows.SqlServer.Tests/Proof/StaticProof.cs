using AiWorkflows.Features;
using AiWorkflows.Storage;

namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>Everything that can reach SQL Server, held against the migrations without a server.</summary>
internal sealed class StaticProof
{
    private readonly List<Source> _scripts = [];
    private readonly List<Source> _statements = [];
    private readonly List<string> _unreached = [];

    public int Count => _statements.Count;

    /// <summary>Scripts that create things, in their order.</summary>
    public StaticProof Scripts(IEnumerable<Source> scripts)
    {
        _scripts.AddRange(scripts);
        return this;
    }

    public StaticProof Statements(IEnumerable<Source> statements)
    {
        _statements.AddRange(statements);
        return this;
    }

    /// <summary>All of the stores' own: texts in the code, what its methods compose, and what is generated for these feature groups.</summary>
    public async Task<StaticProof> StorageAsync(IReadOnlyList<GroupSchema> groups)
    {
        var recorded = await ComposedStatements.RecordAsync(groups);
        var generated = groups.SelectMany(g => GeneratedStatements.Defining(g).Concat(GeneratedStatements.Using(g, g.Columns)).Concat(GeneratedStatements.Changing(g)));
        return Texts(typeof(StoreDatabase), space => space != "AiWorkflows.Storage.Sqlite", [.. recorded, .. generated, .. GeneratedStatements.Copying]);
    }

    /// <summary>The texts in the namespaces of the type's assembly that <paramref name="includes"/> names.</summary>
    public StaticProof Texts(Type type, Func<string, bool> includes, IReadOnlyList<(string Where, string Template)> recorded)
    {
        var found = new StorageStatements(CompiledTexts.Of(type.Assembly.Location, includes), recorded, new RecordingDatabase().Rendered);
        _statements.AddRange(found.Statements);
        _unreached.AddRange(found.Unreached);
        return this;
    }

    /// <summary>What is wrong, one line each, beginning with the place; empty when all is well.</summary>
    public string Findings()
    {
        using var model = new SchemaModel();
        foreach (var script in _scripts)
            model.Define(script);
        // What creates a table stands before what reads it.
        foreach (var statement in _statements.Where(s => s.Creates))
            model.Define(statement with { Sql = TSqlText.KeepTemporary(statement.Sql) });
        foreach (var statement in _statements.Where(s => !s.Creates))
            model.Add(statement with { Sql = TSqlText.KeepTemporary(statement.Sql) });
        return string.Join("\n", _unreached.Concat(model.Check()).Order(StringComparer.Ordinal));
    }
}
