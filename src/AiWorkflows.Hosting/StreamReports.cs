using AiWorkflows.Streaming;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting;

/// <summary>How streams stand, as the API, the command line and the dashboard show it.</summary>
internal sealed class StreamReports(Catalog catalog, IStreamStore store)
{
    private static readonly TimeSpan RateOver = TimeSpan.FromMinutes(5);

    public async Task<IReadOnlyList<StreamReport>> ListAsync(CancellationToken ct)
    {
        if (catalog.Streams.Count == 0)
            return [];
        var (partitions, sources) = (await store.PartitionsAsync(ct), await store.SourcesAsync(ct));
        var reports = new List<StreamReport>();
        foreach (var stream in catalog.Streams)
            reports.Add(Report(stream, [.. partitions.Where(p => p.Stream == stream.Name)], [.. sources.Where(s => s.Stream == stream.Name)], await store.MinutesAsync(stream.Name, RateOver, ct)));
        return reports;
    }

    /// <summary>Null where there is no such stream.</summary>
    public async Task<StreamReport?> FindAsync(string name, CancellationToken ct) => (await ListAsync(ct)).FirstOrDefault(s => s.Name == name);

    private static StreamReport Report(StreamDefinition stream, PartitionState[] partitions, SourceState[] sources, IReadOnlyList<StreamMinute> minutes)
    {
        var counts = partitions.Aggregate(new StreamCounts(), (sum, p) => sum + p.Counts);
        var latest = partitions.Where(p => p.Latest is not null).Select(p => p.Latest!.Value).DefaultIfEmpty().Min();
        return new(
            stream.Name, stream.Events.Name, stream.Lateness.TotalSeconds, [.. stream.Feeds.Select(f => f.Name)],
            partitions.Sum(p => p.Head - p.Committed), partitions.Max(p => p.Waiting)?.TotalSeconds ?? 0, minutes.Sum(m => m.Events) / RateOver.TotalSeconds,
            latest == default ? null : latest - stream.Lateness,
            counts.Events, counts.Late, counts.Duplicates, counts.Refused, partitions.Select(p => p.Error).Concat(sources.Select(s => s.Error)).FirstOrDefault(e => e is not null),
            [.. partitions.Select(p => new StreamPartitionReport(
                p.Partition, p.IsHeld ? p.Host : null, p.Head, p.Committed, p.Head - p.Committed, p.Waiting?.TotalSeconds ?? 0, p.Latest is { } time ? time - stream.Lateness : null,
                p.Counts.Events, p.Counts.Late, p.Counts.Duplicates, p.Counts.Refused, p.Error, p.UpdatedAt))],
            [.. sources.Select(s => new StreamSourceReport(s.Source, s.IsHeld ? s.Host : null, s.Offset, s.Error))]);
    }
}

/// <summary>A stream.</summary>
/// <param name="Group">The feature group that the events are kept in.</param>
/// <param name="LatenessSeconds">How far behind the latest event another may come.</param>
/// <param name="Feeds">Names of the pipelines that are computed as events arrive.</param>
/// <param name="LagEvents">Events that were taken in and are not published yet.</param>
/// <param name="LagSeconds">How long the first of them has waited.</param>
/// <param name="EventsPerSecond">Over the last five minutes.</param>
/// <param name="Watermark">No event before it is taken any more, in the partition that is furthest behind; null before the first event.</param>
/// <param name="Error">Why it does not go on; null where it does.</param>
internal sealed record StreamReport(
    string Name, string Group, double LatenessSeconds, IReadOnlyList<string> Feeds, long LagEvents, double LagSeconds, double EventsPerSecond, DateTime? Watermark,
    long Events, long Late, long Duplicates, long Refused, string? Error, IReadOnlyList<StreamPartitionReport> Partitions, IReadOnlyList<StreamSourceReport> Sources);

/// <summary>A partition of a stream.</summary>
/// <param name="Host">Who works on it; null where nobody does.</param>
/// <param name="Head">Offset of the last event that was taken in.</param>
/// <param name="Committed">Offset of the last event whose rows are published.</param>
internal sealed record StreamPartitionReport(
    int Partition, string? Host, long Head, long Committed, long LagEvents, double LagSeconds, DateTime? Watermark,
    long Events, long Late, long Duplicates, long Refused, string? Error, DateTime UpdatedAt);

/// <summary>A part of a stream's source.</summary>
/// <param name="Offset">Where it was read up to, as the source names it.</param>
internal sealed record StreamSourceReport(int Source, string? Host, string? Offset, string? Error);
