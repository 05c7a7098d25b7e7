using AiWorkflows.Features;

namespace AiWorkflows.Streaming;

/// <summary>Runs a stream over the store in memory, by the processors that a host runs it with.</summary>
internal sealed class StreamInMemory(StreamDefinition stream, IServiceProvider services, InMemoryFeatureStore store, OnlineFeatures online, Func<string, AttemptRef> attempts)
{
    private readonly PartitionProcessor?[] _processors = new PartitionProcessor?[stream.Partitions];
    private readonly DateTime?[] _latest = new DateTime?[stream.Partitions];

    public async Task<StreamCounts> PushAsync<TEvent>(StreamDefinition<TEvent> typed, IEnumerable<TEvent> events, CancellationToken ct) where TEvent : class
    {
        var counts = new StreamCounts();
        foreach (var of in events.GroupBy(typed.PartitionOf).OrderBy(p => p.Key))
        {
            var processor = (PartitionProcessor<TEvent>)await ProcessorAsync(of.Key, ct);
            foreach (var e in of)
                await processor.TakeAsync(e, ct);
            counts += await FlushAsync(of.Key, processor, null, ct);
        }
        for (var partition = 0; partition < _processors.Length; partition++)
            if (_processors[partition] is { } processor)
                await FlushAsync(partition, processor, _latest.Max(), ct);
        return counts;
    }

    public void Restart() => Array.Clear(_processors);

    private async Task<PartitionProcessor> ProcessorAsync(int partition, CancellationToken ct)
    {
        if (_processors[partition] is { } running)
            return running;
        var processor = _processors[partition] = stream.Open(partition, services, store, online, new(store, store.CurrentSeq));
        await processor.RestoreAsync(_latest[partition], _latest.Max(), ct);
        return processor;
    }

    private async Task<StreamCounts> FlushAsync(int partition, PartitionProcessor processor, DateTime? clock, CancellationToken ct)
    {
        var batch = await processor.FlushAsync(clock, ct);
        foreach (var changes in batch.Changes)
        {
            var writer = await store.OpenCommitAsync(new(changes.Group, CommitKind.Patch, changes.WindowAt(batch.Latest), attempts(stream.Name), "test"), ct);
            await writer.WriteAsync(changes.Rows, ct);
            await writer.QuarantineAsync(changes.Quarantine, ct);
            store.Publish(writer.CommitId);
        }
        _latest[partition] = batch.Latest;
        return batch.Counts;
    }
}
