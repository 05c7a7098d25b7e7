namespace AiWorkflows.Features;

/// <summary>A commit as a reader sees it.</summary>
internal readonly record struct PublishedCommit(long CommitId, long PublishedSeq, DateTime PublishedAt, Window Window);

/// <summary>One group read over one window as of one sequence: recorded for every commit, dataset and batch.</summary>
internal sealed record FeatureInput(string Group, int Version, long AsOfSeq, Window Window);

/// <summary>What a store writes to while a batch of rows is bound; ordinals follow <see cref="GroupSchema.Columns"/>.</summary>
internal interface ICellSink
{
    void Null(int ordinal);

    void Integer(int ordinal, long value);

    void Real(int ordinal, double value);

    void Text(int ordinal, string value);

    void Blob(int ordinal, ReadOnlySpan<byte> value);
}

/// <summary>Canonical rows on their way into a store.</summary>
internal interface IRowBatch
{
    int Count { get; }

    /// <summary>Whether the row is a tombstone: its key and event time are bound, its features are null.</summary>
    bool IsDeleted(int row);

    /// <summary>Hands every cell of the row to <paramref name="sink"/>.</summary>
    void Bind(int row, ICellSink sink);
}

/// <summary>
/// Raw row versions of one group, ordered by event time; versions of one (event time, keys) are adjacent, in any order among themselves.
/// Cell ordinals follow the columns that were asked for; a missing cell reads as 0 or as empty. Synchronous, because the embedded engine is: callers read ahead on a thread of their own.
/// </summary>
internal interface IRowCursor : IDisposable
{
    bool Read();

    long CommitId { get; }

    bool IsDeleted { get; }

    bool IsNull(int ordinal);

    /// <summary>Zero where the cell is missing: compiled readers ask <see cref="IsNull"/> only about cells that are zero or empty.</summary>
    long Integer(int ordinal);

    /// <inheritdoc cref="Integer"/>
    double Real(int ordinal);

    /// <summary>Text, interned per cursor: equal texts are the same instance. Empty where the cell is missing.</summary>
    string Text(int ordinal);

    /// <summary>Empty where the cell is missing.</summary>
    byte[] Blob(int ordinal);
}

/// <summary>A row that an expectation kept out.</summary>
internal sealed record QuarantinedRow(string RowJson, string Rule, string Reason);

/// <summary>Who writes: every write and every publication is fenced by the attempt's claim on its stage run.</summary>
internal sealed record AttemptRef(long RunId, long StageRunId, int Attempt, string Stage);

/// <summary>What a commit claims to be.</summary>
internal sealed record CommitRequest(GroupSchema Group, CommitKind Kind, Window Window, AttemptRef Attempt, string CodeVersion)
{
    /// <summary>Not null: the commit was opened with the attempt's claim.</summary>
    public OpenedCommit? Opened { get; init; }

    public CommitShape Shape => new(Group, Kind, Window);
}

/// <summary>What can be said of a commit before there is an attempt.</summary>
internal sealed record CommitShape(GroupSchema Group, CommitKind Kind, Window Window);

/// <param name="BaseSeq">See <see cref="ICommitWriter.BaseSeq"/>.</param>
internal sealed record OpenedCommit(long CommitId, long BaseSeq);

internal enum CommitKind { Replace, Patch }

/// <summary>An open, invisible commit of one attempt.</summary>
internal interface ICommitWriter : IAsyncDisposable
{
    long CommitId { get; }

    /// <summary>The sequence that the difference is taken against: fresh per attempt.</summary>
    long BaseSeq { get; }

    /// <summary>Writes rows in short transactions, each of which checks that the commit is still <c>writing</c>.</summary>
    /// <exception cref="FencedException">The attempt has lost its lease or its run has ended.</exception>
    Task WriteAsync(IRowBatch rows, CancellationToken ct);

    Task QuarantineAsync(IReadOnlyList<QuarantinedRow> rows, CancellationToken ct);
}

/// <summary>What a stage knows about its commit when it seals it.</summary>
internal sealed record CommitSeal(
    long CommitId, GroupSchema Group, Window Window, long BaseSeq, long Rows, long Tombstones, long NewRows, long RowsComputed, long RowsQuarantined,
    DateTime? MinEventTime, DateTime? MaxEventTime, string StatisticsJson, string ExpectationsJson, IReadOnlyList<FeatureInput> Inputs, IReadOnlyList<DateTime> Buckets);

/// <summary>Feature groups and their commits. Publishing is part of the ledger's <c>win</c>, because it is one transaction.</summary>
internal interface IFeatureStore
{
    /// <summary>Creates or extends the tables of the groups, records views and lineage. Refuses an incompatible change.</summary>
    /// <exception cref="InvalidRequestException">A column was removed or changed under the same version.</exception>
    Task RegisterAsync(IReadOnlyList<RegisteredGroup> groups, IReadOnlyList<RegisteredView> views, CancellationToken ct);

    /// <summary>The newest published sequence.</summary>
    Task<long> CurrentSeqAsync(CancellationToken ct);

    /// <summary>The last sequence published at or before <paramref name="publishedAt"/>; 0 if there is none.</summary>
    Task<long> SeqAtAsync(DateTime publishedAt, CancellationToken ct);

    /// <summary>The commits of a group that are visible as of a sequence and overlap the window, by published sequence.</summary>
    Task<IReadOnlyList<PublishedCommit>> CommitsAsync(GroupSchema group, long asOfSeq, Window window, CancellationToken ct);

    /// <summary>Range scan over <paramref name="window"/> of all row versions of visible and invisible commits; the caller resolves them.</summary>
    /// <param name="columns">The columns to read, in the order in which the cursor numbers them.</param>
    IRowCursor Scan(GroupSchema group, IReadOnlyList<FeatureColumn> columns, Window window);

    /// <summary>Versions of the rows of one entity with an event time in <paramref name="window"/>, newest event time first.</summary>
    /// <param name="keys">Canonical key values (long, string or byte[]), in the order of <see cref="GroupSchema.Keys"/>.</param>
    IRowCursor Seek(GroupSchema group, IReadOnlyList<FeatureColumn> columns, IReadOnlyList<object> keys, Window window);

    /// <summary>A reader for look-ups by key.</summary>
    IKeyReader OpenKeys() => new StoreKeyReader(this);

    /// <summary>The commits of all groups that were published after <paramref name="publishedAt"/>, in the order of their publication.</summary>
    IAsyncEnumerable<PublishedCommit> PublishedSinceAsync(DateTime publishedAt, CancellationToken ct);

    /// <summary>Opens a commit under the attempt's claim, or goes on with the one that was opened with it.</summary>
    /// <exception cref="FencedException">The attempt has lost its lease or its run has ended.</exception>
    Task<ICommitWriter> OpenCommitAsync(CommitRequest request, CancellationToken ct);
}

/// <summary>A group as the catalog registers it.</summary>
internal sealed record RegisteredGroup(GroupSchema Schema, string? WrittenBy);

/// <summary>A view as the catalog registers it.</summary>
internal sealed record RegisteredView(
    string Name, int Version, string Fingerprint, string ExampleType, GroupSchema Spine, string? LabelJson, string ColumnsJson, IReadOnlyList<LineageEdge> Lineage);

/// <summary>One feature depends on one column of one group, through one join.</summary>
/// <param name="Alias">The variable that held the join; "spine" for the spine itself.</param>
internal sealed record LineageEdge(string Feature, string Alias, string Group, int GroupVersion, string Column);
