using System.Text.Json;

namespace AiWorkflows.Features;

/// <summary>What became of one rule in one commit; stored with it.</summary>
/// <param name="Outcome"><c>fail</c>, <c>quarantine</c> or <c>warn</c>: what was to happen to violating rows.</param>
/// <param name="First">The first violating row and what was found.</param>
internal sealed record ExpectationResult(string Rule, string Outcome, long Violations, string? First);

/// <summary>Checks canonical rows against the rules of a pipeline, and counts.</summary>
internal sealed class ExpectationCheck<TRow> where TRow : class
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly RowCodec<TRow> _codec = RowCodec<TRow>.Instance;
    private readonly Expectations<TRow>.Rule[] _rules;
    private readonly long[] _violations;
    private readonly string?[] _first;
    private long _rows;

    public ExpectationCheck(FeaturePipeline<TRow> pipeline)
    {
        var expectations = new Expectations<TRow>();
        pipeline.Expect(expectations);
        _rules = [.. expectations.Rules];
        _violations = new long[_rules.Length];
        _first = new string?[_rules.Length];
    }

    /// <summary>Whether a rule with the outcome fail has been violated: the commit will not be published, so its rows need not be kept.</summary>
    public bool HasFailed { get; private set; }

    public IReadOnlyList<ExpectationResult> Results =>
        [.. _rules.Select((r, i) => new ExpectationResult(r.Text, r.Otherwise.ToString().ToLowerInvariant(), _violations[i], _first[i]))];

    public string ResultsJson => JsonSerializer.Serialize(Results, Json);

    /// <summary>Counts the violations of a row; not null where one of them sends the row to quarantine.</summary>
    public QuarantinedRow? Check(TRow row)
    {
        _rows++;
        QuarantinedRow? quarantined = null;
        for (var i = 0; i < _rules.Length; i++)
        {
            if (Holds(_rules[i], row))
                continue;
            var found = _rules[i].Found(row);
            if (_violations[i]++ == 0)
                _first[i] = $"{_codec.Describe(row)}: {found}";
            if (_rules[i].Otherwise == OnViolation.Quarantine)
                quarantined ??= new QuarantinedRow(_codec.Json(row), _rules[i].Text, found);
            HasFailed |= _rules[i].Otherwise == OnViolation.Fail;
        }
        return quarantined;
    }

    /// <summary>As <see cref="Check"/> for a stream, which has no window that could fail as a whole: what would fail a commit is kept in quarantine.</summary>
    public QuarantinedRow? Reject(TRow row) =>
        _rules.FirstOrDefault(r => r.Otherwise != OnViolation.Warn && !Holds(r, row)) is { } rule ? new QuarantinedRow(_codec.Json(row), rule.Text, rule.Found(row)) : null;

    /// <summary>The first rule beside warnings that a row violates, and what was found; null where it holds them all. Counts nothing.</summary>
    public string? Violation(TRow row) =>
        _rules.FirstOrDefault(r => r.Otherwise != OnViolation.Warn && !Holds(r, row)) is { } rule ? $"violates '{rule.Text}': {rule.Found(row)}" : null;

    /// <exception cref="StageFailedException">Names every violated rule with its count and the first row.</exception>
    public void ThrowIfFailed()
    {
        if (!HasFailed)
            return;
        var failed = Results.Where(r => r.Outcome == "fail" && r.Violations > 0).Select(r => $"{r.Violations} of {_rows} rows violate '{r.Rule}' (first: {r.First})");
        throw new StageFailedException($"{_codec.Schema}: {string.Join("; ", failed)}. Nothing was published; correct the source, or declare OnViolation.Quarantine.");
    }

    private bool Holds(Expectations<TRow>.Rule rule, TRow row)
    {
        try
        {
            return rule.Holds(row);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new StageFailedException($"{_codec.Schema}: the expectation '{rule.Text}' threw {e.GetType().Name} on {_codec.Describe(row)}: {e.Message}", e);
        }
    }
}
