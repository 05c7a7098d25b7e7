using System.Runtime.CompilerServices;
using AiWorkflows.Features;
using Dapper;

namespace AiWorkflows.Storage;

/// <summary>What the feature stores of both engines share: clock, commits, and the fence in front of a writer.</summary>
internal abstract partial class FeatureStore(StoreDatabase database) : IFeatureStore
{
    protected StoreDatabase Database => database;

    public async Task<long> CurrentSeqAsync(CancellationToken ct) =>
        await database.ReadFirstAsync<long>("SELECT seq FROM {feature_store.publication_clock}", null, ct);

    public async Task<long> SeqAtAsync(DateTime publishedAt, CancellationToken ct) => await database.ReadFirstAsync<long?>("""
        SELECT MAX(x.seq) FROM (
            SELECT MAX(published_seq) AS seq FROM {feature_store.commits} WHERE published_at <= @At
            UNION ALL SELECT MAX(published_seq) FROM {prediction_log.batches} WHERE published_at <= @At
            UNION ALL SELECT MAX(published_seq) FROM {feature_store.training_datasets} WHERE published_at <= @At) x
        """, new { At = (Utc)publishedAt }, ct) ?? 0;

    public async Task<IReadOnlyList<PublishedCommit>> CommitsAsync(GroupSchema group, long asOfSeq, Window window, CancellationToken ct)
    {
        var rows = await database.ReadAsync<CommitRow>("""
            SELECT commit_id, published_seq, published_at, window_from, window_to FROM {feature_store.commits}
            WHERE feature_group = @Name AND version = @Version AND state = 'published' AND published_seq <= @AsOf AND window_from < @To AND window_to > @From
            ORDER BY published_seq, commit_id
            """, new { group.Name, group.Version, AsOf = asOfSeq, From = (Utc)window.From, To = (Utc)window.To }, ct);
        return [.. rows.Select(r => new PublishedCommit(r.CommitId, r.PublishedSeq, r.PublishedAt, new(r.WindowFrom, r.WindowTo)))];
    }

    public abstract IRowCursor Scan(GroupSchema group, IReadOnlyList<FeatureColumn> columns, Window window);

    public abstract IRowCursor Seek(GroupSchema group, IReadOnlyList<FeatureColumn> columns, IReadOnlyList<object> keys, Window window);

    public abstract IKeyReader OpenKeys();

    public async IAsyncEnumerable<PublishedCommit> PublishedSinceAsync(DateTime publishedAt, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var connection = await database.OpenReadAsync(ct);
        await using var reader = await connection.ExecuteReaderAsync(new CommandDefinition(database.Sql("""
            SELECT commit_id, published_seq, published_at, window_from, window_to FROM {feature_store.commits}
            WHERE published_at > @PublishedAt AND state = 'published' ORDER BY published_at
            """), new { PublishedAt = (Utc)publishedAt }, cancellationToken: ct));
        while (await reader.ReadAsync(ct))
            yield return new(reader.GetInt64(0), reader.GetInt64(1), Utc.Read(reader, 2), new(Utc.Read(reader, 3), Utc.Read(reader, 4)));
    }

    public async Task<ICommitWriter> OpenCommitAsync(CommitRequest request, CancellationToken ct)
    {
        var opened = request.Opened ?? await database.WriteAsync(tx => CommitOpening.InsertAsync(tx, request.Shape, request.Attempt, request.CodeVersion), ct, durable: false)
            ?? throw Fence.Lost(request.Attempt);
        return OpenWriter(request, opened.CommitId, opened.BaseSeq);
    }

    protected abstract ICommitWriter OpenWriter(CommitRequest request, long commitId, long baseSeq);

    private sealed class CommitRow
    {
        public long CommitId { get; set; }

        public long PublishedSeq { get; set; }

        public Utc PublishedAt { get; set; }

        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }
    }
}
