namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>Every statement of a compiled assembly: what stands there whole, and what its methods were seen to compose.</summary>
internal sealed class StorageStatements
{
    private const string Foreign = nameof(TableSource<object>) + "`1";

    private readonly List<Source> _statements = [];
    private readonly List<string> _unreached = [];

    /// <param name="recorded">Statements that were composed when methods were called.</param>
    /// <param name="rendered">Turns a template into what the engine is sent.</param>
    public StorageStatements(IReadOnlyList<Literal> literals, IReadOnlyList<(string Where, string Template)> recorded, Func<string, string> rendered)
    {
        _statements.AddRange(recorded.Select(r => new Source(r.Where, rendered(r.Template))));
        var composed = recorded.Select(r => (r.Where, Template: TSqlText.Collapse(r.Template))).ToArray();
        // A source reads tables of others, in whatever database they are: no migration knows them.
        var sql = literals.Where(l => CompiledTexts.LooksLikeSql(l.Text) && !l.Where.StartsWith(Foreign, StringComparison.Ordinal)).DistinctBy(l => (l.Where, l.Text)).ToArray();
        var whole = sql.Where(l => CompiledTexts.BeginsLikeStatement(l.Text)).Select(l => TSqlText.Collapse(l.Text)).ToArray();
        foreach (var literal in sql)
        {
            var text = TSqlText.Collapse(literal.Text);
            if (CompiledTexts.IsName(text))
            {
                _statements.Add(new(literal.Where, rendered($"SELECT 1 AS one FROM {text}")));
                continue;
            }
            if (composed.Any(c => c.Template.Contains(text, StringComparison.Ordinal) && (!literal.IsJoined || c.Where.Contains(literal.Where[..(literal.Where.LastIndexOf('.') + 1)], StringComparison.Ordinal))))
                continue;
            if (!literal.IsJoined && CompiledTexts.BeginsLikeStatement(literal.Text))
                _statements.Add(new(literal.Where, rendered(literal.Text)));
            else if (!literal.IsConstant || !whole.Any(w => w.Contains(text, StringComparison.Ordinal)))
                _unreached.Add($"{literal.Where}: this text becomes part of a statement that no call in {nameof(ComposedStatements)} has made, so nobody has checked it: {text}");
        }
    }

    public IReadOnlyList<Source> Statements => _statements;

    /// <summary>Parts of statements that no recorded call has composed.</summary>
    public IReadOnlyList<string> Unreached => _unreached;
}
