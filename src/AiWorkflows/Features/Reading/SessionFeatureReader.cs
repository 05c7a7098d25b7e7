using System.Runtime.CompilerServices;

namespace AiWorkflows.Features;

/// <summary>The reader that a pipeline gets: bound to the reads of its stage, so that everything it sees is recorded.</summary>
internal sealed class SessionFeatureReader<TRow>(FeatureReadSession session, CancellationToken stage) : IFeatureReader<TRow> where TRow : class
{
    public async IAsyncEnumerable<TRow> ReadAsync(Window window, [EnumeratorCancellation] CancellationToken ct = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stage, ct);
        var commits = await session.OpenAsync(RowCodec<TRow>.Instance.Schema, window, either.Token);
        using var feed = new GroupFeed<TRow>(session.Store, commits, properties: null, window, FeedMode.Rows, session.Progress, either.Token);
        while (await feed.NextAsync(either.Token) is { } batch)
        {
            for (var i = 0; i < batch.Count; i++)
                yield return batch[i].Row;
            feed.Return(batch);
        }
    }
}

/// <summary>The reader that a pipeline is constructed with while definitions are validated.</summary>
internal sealed class UnboundFeatureReader<TRow> : IFeatureReader<TRow> where TRow : class
{
    public IAsyncEnumerable<TRow> ReadAsync(Window window, CancellationToken ct = default) =>
        throw new InvalidOperationException($"{typeof(TRow).Name} can be read only while the pipeline computes a window, not in its constructor.");
}
