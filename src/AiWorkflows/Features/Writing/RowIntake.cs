namespace AiWorkflows.Features;

/// <summary>What every row passes before anything else: canonical values, the window, the expectations.</summary>
internal sealed class RowIntake<TRow> where TRow : class
{
    private const int QuarantineBatch = 500;

    private readonly RowCodec<TRow> _codec = RowCodec<TRow>.Instance;
    private readonly Window _window;
    private readonly long _from;
    private readonly long _to;
    private readonly ICommitWriter _writer;
    private readonly List<QuarantinedRow> _quarantine = [];

    public RowIntake(FeaturePipeline<TRow> pipeline, Window window, ICommitWriter writer)
    {
        (_window, _writer) = (window, writer);
        (_from, _to) = (Timestamps.ToMicros(window.From), Timestamps.ToMicros(window.To));
        Expectations = new(pipeline);
    }

    public ExpectationCheck<TRow> Expectations { get; }

    public long Computed { get; private set; }

    public long Quarantined { get; private set; }

    public bool QuarantineIsFull => _quarantine.Count >= QuarantineBatch;

    /// <summary>The canonical row, or null where it is kept out.</summary>
    public TRow? Take(TRow row)
    {
        Computed++;
        var canonical = _codec.Canonicalize(row);
        var time = _codec.EventTime(canonical);
        if (time < _from || time >= _to)
            throw new StageFailedException(
                $"{_codec.Schema}: {_codec.Describe(canonical)} lies outside the window {_window}; a pipeline gives exactly the rows whose event time lies in its window.");
        if (Expectations.Check(canonical) is not { } quarantined)
            return canonical;
        Quarantined++;
        _quarantine.Add(quarantined);
        return null;
    }

    public async Task FlushQuarantineAsync(CancellationToken ct)
    {
        if (_quarantine.Count == 0)
            return;
        await _writer.QuarantineAsync(_quarantine, ct);
        _quarantine.Clear();
    }
}
