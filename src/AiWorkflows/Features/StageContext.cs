using Microsoft.Extensions.Logging;

namespace AiWorkflows.Features;

/// <summary>What a stage gets to work with: fixed for one attempt.</summary>
internal sealed class StageContext
{
    public required AttemptRef Attempt { get; init; }

    public required string Workflow { get; init; }

    /// <summary>The window of the run. A training stage's cut-off is its start.</summary>
    public required Window Window { get; init; }

    /// <summary>The sequence that every read of this step is made as of; fixed once for all attempts of the step.</summary>
    public required long AsOfSeq { get; init; }

    /// <summary>What a backfill fixes beyond that; null in any other run.</summary>
    public BackfillContext? Backfill { get; init; }

    /// <summary>Whether examples from before the model's training cut-off may be scored (and are flagged).</summary>
    public bool Hindsight { get; init; }

    public required string CodeVersion { get; init; }

    /// <summary>The scope from which the pipeline is constructed.</summary>
    public required IServiceProvider Services { get; init; }

    /// <summary>The business clock, UTC.</summary>
    public required TimeProvider Clock { get; init; }

    public required StageProgress Progress { get; init; }

    /// <summary>What is written here appears in the stage's log, in the dashboard and in <c>runs logs</c>.</summary>
    public required ILogger Log { get; init; }

    /// <summary>The commit that was opened with the claim; null where there is none, or it was used already.</summary>
    public OpenedCommit? Opened { get; init; }

    /// <summary>The commit of this attempt, over the whole window.</summary>
    /// <exception cref="FencedException">The attempt has lost its lease or its run has ended.</exception>
    public Task<ICommitWriter> OpenCommitAsync(IFeatureStore store, GroupSchema group, CancellationToken ct) =>
        store.OpenCommitAsync(new(group, CommitKind.Replace, Window, Attempt, CodeVersion) { Opened = Opened }, ct);

    /// <summary>The reads of this attempt.</summary>
    public FeatureReadSession OpenReads(IFeatureStore store) => new(store, AsOfSeq, Progress, Backfill);
}

/// <summary>What a stage of a backfill reads and trains differently.</summary>
/// <param name="PinSeq">Groups that the workflow does not write itself are read as of this sequence in every window.</param>
/// <param name="OwnGroups">Names of the groups that it writes.</param>
/// <param name="Alias">The alias of the models that it trains.</param>
/// <param name="Backtest">Predictions are logged under a role of their own, and cover nothing.</param>
internal sealed record BackfillContext(long PinSeq, IReadOnlySet<string> OwnGroups, string Alias, bool Backtest = false);

/// <summary>Counts what a running stage does; read from other threads, so that progress can be shown and beaten to the ledger.</summary>
internal sealed class StageProgress
{
    private long _rowsRead;
    private long _rowsWritten;
    private long _done;
    private long _total;

    public long RowsRead => Volatile.Read(ref _rowsRead);

    public long RowsWritten => Volatile.Read(ref _rowsWritten);

    public long Done => Volatile.Read(ref _done);

    /// <summary>0 while unknown.</summary>
    public long Total => Volatile.Read(ref _total);

    /// <summary>What the stage is doing, in a few words.</summary>
    public string Text { get; set; } = "";

    public void AddRead(long rows) => Interlocked.Add(ref _rowsRead, rows);

    public void AddWritten(long rows) => Interlocked.Add(ref _rowsWritten, rows);

    public void Report(long done, long total)
    {
        Volatile.Write(ref _done, done);
        Volatile.Write(ref _total, total);
    }
}
