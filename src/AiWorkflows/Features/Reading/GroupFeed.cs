using System.Collections.Concurrent;
using System.Threading.Channels;

namespace AiWorkflows.Features;

/// <summary>Reads a group ahead of its consumer on a thread of its own, in batches.</summary>
internal sealed class GroupFeed<TRow> : IDisposable where TRow : class
{
    private const int BatchesAhead = 4;

    private readonly Channel<FeedBatch<TRow>> _channel = Channel.CreateBounded<FeedBatch<TRow>>(
        new BoundedChannelOptions(BatchesAhead) { SingleReader = true, SingleWriter = true });
    private readonly ConcurrentQueue<FeedBatch<TRow>> _free = [];
    private readonly CancellationTokenSource _stop;
    private readonly Task _reader;

    /// <param name="commits">The commits that the read may see; without any, nothing is scanned.</param>
    /// <param name="properties">The properties that are wanted beside event time and keys; null for all.</param>
    public GroupFeed(
        IFeatureStore store, IReadOnlyList<PublishedCommit> commits, IReadOnlySet<string>? properties, Window window, FeedMode mode, StageProgress? progress, CancellationToken ct)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        if (commits.Count == 0 || window.IsEmpty)
        {
            _channel.Writer.Complete();
            _reader = Task.CompletedTask;
            return;
        }
        var columns = GroupResolver<TRow>.ColumnsFor(properties);
        _reader = Task.Factory.StartNew(
            () => Read(store, new VisibleCommits(commits), columns, window, mode, progress),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>The next batch, or null at the end. Give it back with <see cref="Return"/>.</summary>
    public FeedBatch<TRow>? Next()
    {
        if (_channel.Reader.TryRead(out var batch))
            return batch;
        var waiting = NextAsync(_stop.Token);
        return waiting.IsCompletedSuccessfully ? waiting.Result : waiting.AsTask().GetAwaiter().GetResult();
    }

    public async ValueTask<FeedBatch<TRow>?> NextAsync(CancellationToken ct)
    {
        while (await _channel.Reader.WaitToReadAsync(ct))
            if (_channel.Reader.TryRead(out var batch))
                return batch;
        return null;
    }

    public void Return(FeedBatch<TRow> batch)
    {
        batch.Clear();
        _free.Enqueue(batch);
    }

    /// <summary>Stops the reading thread and waits until it has closed its cursor.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _reader.Wait();
        _stop.Dispose();
    }

    private void Read(IFeatureStore store, VisibleCommits commits, IReadOnlyList<FeatureColumn> columns, Window window, FeedMode mode, StageProgress? progress)
    {
        using var activity = Telemetry.StartPart($"read {RowCodec<TRow>.Instance.Schema.Name}");
        var rows = 0L;
        try
        {
            using var cursor = store.Scan(RowCodec<TRow>.Instance.Schema, columns, window);
            var resolver = new GroupResolver<TRow>(cursor, commits, columns, mode);
            while (true)
            {
                _stop.Token.ThrowIfCancellationRequested();
                var batch = _free.TryDequeue(out var free) ? free : new FeedBatch<TRow>();
                if (!resolver.Fill(batch))
                    break;
                progress?.AddRead(batch.Count);
                rows += batch.Count;
                if (!_channel.Writer.TryWrite(batch))
                    _channel.Writer.WriteAsync(batch, _stop.Token).AsTask().GetAwaiter().GetResult();
            }
            _channel.Writer.Complete();
        }
        catch (Exception e)
        {
            _channel.Writer.Complete(e);
        }
        activity?.SetTag("aiworkflows.rows", rows).SetTag("aiworkflows.window_from", Timestamps.Iso(window.From)).SetTag("aiworkflows.window_to", Timestamps.Iso(window.To));
    }
}
