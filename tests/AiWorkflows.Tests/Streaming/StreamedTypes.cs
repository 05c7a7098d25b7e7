namespace AiWorkflows.Tests.Streaming;

[FeatureGroup("stream_events")]
public sealed record Movement([property: EntityKey] string Airport, [property: EntityKey] int Id, [property: EventTime] DateTime At, double Delay, string? Carrier);

/// <summary>Brings the history of the events; what it expects of them holds for the stream too.</summary>
public sealed class MovementsPipeline : BatchFeaturePipeline<Movement>
{
    public override IAsyncEnumerable<Movement> ComputeAsync(Window window, CancellationToken ct) => AsyncEnumerable.Empty<Movement>();

    protected internal override void Expect(Expectations<Movement> e) => e.InRange(m => m.Delay, -60, 10_000, OnViolation.Quarantine).That(m => m.Carrier != "XX");
}

[FeatureGroup("stream_pulses", Online = true)]
public sealed record Pulse([property: EntityKey] string Airport, [property: EventTime] DateTime At,
    int LastTwo, int LastSeven, float Mean, float Deviation, float Most, float First, float Late, int Carriers, float Sum);

public sealed class PulsePipeline : AggregateFeaturePipeline<Movement, Pulse>
{
    private static readonly TimeSpan Short = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(70);

    protected internal override void Define(AggregationBuilder<Movement, Pulse> events) => events.By(e => e.Airport).Every(TimeSpan.FromMinutes(10)).Select(g => new Pulse(
        g.Key, g.End, g.Last(Short).Count(null), g.Last(Long).Count(null), g.Last(Long).Mean(e => e.Delay, null), g.Last(Long).StandardDeviation(e => e.Delay, null),
        g.Last(Short).Max(e => e.Delay, null), g.Last(Long).First(e => e.Delay, null), g.Last(Short).Share(e => e.Delay > 15, null), g.Last(Long).DistinctCount(e => e.Carrier, null),
        g.Last(Short).Sum(e => e.Delay, e => e.Carrier != null)));

    protected internal override void Expect(Expectations<Pulse> e) => e.InRange(p => p.LastTwo, 0, 12, OnViolation.Quarantine);
}

[FeatureGroup("stream_queues", Online = true)]
public sealed record Queue([property: EntityKey] string Airport, [property: EventTime] DateTime At, int Count, double Smoothed);

/// <summary>Depends on the order of the events and on every one of them.</summary>
public sealed class QueuePipeline : StreamFeaturePipeline<Movement, Queue>
{
    protected internal override void Define(StreamBuilder<Movement, Queue> events) => events.By(e => e.Airport);

    protected internal override Queue Apply(Queue? last, Movement e) => new(e.Airport, e.At, (last?.Count ?? 0) + 1, (last?.Smoothed ?? 0) * 0.9 + e.Delay / 3);

    protected internal override void Expect(Expectations<Queue> e) => e.InRange(q => q.Smoothed, -1000, 60, OnViolation.Quarantine);
}

[FeatureGroup("stream_sessions", Online = true)]
public sealed record Sitting([property: EntityKey] string Airport, [property: EventTime] DateTime At, int Count, DateTime Since);

public sealed class SittingPipeline : StreamFeaturePipeline<Movement, Sitting>
{
    protected internal override void Define(StreamBuilder<Movement, Sitting> events) => events.By(e => e.Airport).Session(TimeSpan.FromMinutes(8));

    protected internal override Sitting Apply(Sitting? last, Movement e) => new(e.Airport, e.At, (last?.Count ?? 0) + 1, last?.Since ?? e.At);
}
