namespace AiWorkflows.Workflows;

/// <summary>A version of a model that a backfill is bound to.</summary>
internal sealed record ModelPin(string Model, int Version)
{
    /// <summary>The pins as they are stored; null where there are none.</summary>
    public static string? Join(IEnumerable<ModelPin> pins) =>
        string.Join(",", pins.OrderBy(p => p.Model, StringComparer.Ordinal).Select(p => FormattableString.Invariant($"{p.Model}={p.Version}"))) is { Length: > 0 } text ? text : null;
}

/// <summary>What somebody asks for: a stretch of history, window by window.</summary>
/// <param name="Parallel">How many windows may run at a time; null for one, or for whatever the existing backfill has.</param>
/// <param name="Models">Versions to predict with; a model that is not named is predicted with its champion.</param>
/// <param name="Again">Make a new one even if the same was asked for before.</param>
/// <param name="Backtest">Trains and predicts beside the workflow's own models and predictions: what it says is how good they would have been.</param>
internal sealed record BackfillOrder(
    string Workflow, DateTime From, DateTime To, TimeSpan Every, int? Parallel, bool Train, IReadOnlyList<ModelPin> Models, string By, bool Again, bool Backtest = false);

/// <summary>An order that has been checked, with its windows in order of time.</summary>
/// <param name="ChampionsOf">Models that are predicted with the champion of this moment.</param>
internal sealed record BackfillRequest(BackfillOrder Order, IReadOnlyList<Window> Windows, IReadOnlyList<string> ChampionsOf);

/// <param name="Models">As <see cref="ModelPin.Join"/> writes them.</param>
/// <param name="PinSeq">The sequence that groups of other workflows are read as of.</param>
internal sealed record BackfillRecord(
    long BackfillId, string Workflow, Window Window, TimeSpan Every, int Parallel, bool Train, string? Models, long PinSeq, string RequestedBy, DateTime RequestedAt, bool Backtest = false)
{
    /// <summary>The alias under which a backfill that trains keeps its models; no other run looks at it.</summary>
    public string Alias => FormattableString.Invariant($"{(Backtest ? "backtest" : "backfill")}-{BackfillId}");
}

/// <param name="Created">False where the same had been asked for before.</param>
internal sealed record BackfillResult(BackfillRecord Backfill, bool Created);

/// <summary>What a backfill means for the plan of one of its windows.</summary>
/// <param name="Models">The models that have a version to predict with.</param>
internal sealed record BackfillTerms(bool Train, IReadOnlySet<string> Models, bool Backtest = false);

internal partial interface ILedger
{
    /// <summary>Inserts a backfill with a run for each window and its models, or finds the same one, whose parallelism then becomes the one asked for.</summary>
    Task<(long BackfillId, bool Created)> RequestBackfillAsync(BackfillRequest request, CancellationToken ct);

    Task<BackfillRecord?> FindBackfillAsync(long backfillId, CancellationToken ct);

    /// <summary>Cancels all windows that have not ended, and returns those that were running.</summary>
    /// <param name="why">Kept with each run and on record; null where nobody said.</param>
    /// <returns>The number of windows cancelled, and the ids of those runs.</returns>
    Task<(int Windows, IReadOnlyList<long> Running)> CancelBackfillAsync(long backfillId, string by, string? why, CancellationToken ct);

    /// <summary>Puts the failed and cancelled windows back to requested, and returns how many.</summary>
    Task<int> RetryBackfillAsync(long backfillId, string by, CancellationToken ct);

    /// <summary>Running later windows of the run's backfill that have steps to be dispatched.</summary>
    Task<IReadOnlyList<long>> WaitingWindowsAsync(long backfillId, long runId, CancellationToken ct);

    /// <summary>The models that the run has a version of.</summary>
    Task<IReadOnlyList<ModelPin>> PinsAsync(long runId, CancellationToken ct);

    /// <summary>
    /// The model version of a window of a backfill that trains, pinned with its first use: of those that had the alias, the one with the latest cut-off at or before
    /// <paramref name="cutOff"/>. Null where there is none.
    /// </summary>
    Task<int?> PinTrainedModelAsync(long runId, string model, string alias, DateTime cutOff, CancellationToken ct);
}
