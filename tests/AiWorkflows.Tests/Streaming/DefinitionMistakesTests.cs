namespace AiWorkflows.Tests.Streaming;

/// <summary>Every mistake of a definition is named at the start, with what to change.</summary>
public sealed class StreamDefinitionMistakesTests
{
    [FeatureGroup("no_key_lookup")] public sealed record Offline([EntityKey] string Airport, [EventTime] DateTime At, int Count);
    [FeatureGroup("by_number", Online = true)] public sealed record ByNumber([EntityKey] int Id, [EventTime] DateTime At, int Count);

    public sealed class OfflinePipeline : StreamFeaturePipeline<Movement, Offline>
    {
        protected internal override void Define(StreamBuilder<Movement, Offline> events) => events.By(e => e.Airport).Session(TimeSpan.Zero);

        protected internal override Offline Apply(Offline? last, Movement e) => new(e.Airport, e.At, 1);
    }

    public sealed class ByNumberPipeline : StreamFeaturePipeline<Movement, ByNumber>
    {
        protected internal override void Define(StreamBuilder<Movement, ByNumber> events) => events.By(e => e.Airport);

        protected internal override ByNumber Apply(ByNumber? last, Movement e) => new(e.Id, e.At, 1);
    }

    public sealed class WindowPipeline : BatchFeaturePipeline<Offline>
    {
        public override async IAsyncEnumerable<Offline> ComputeAsync(Window window, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
        {
            await Task.CompletedTask;
            yield break;
        }
    }

    [Fact]
    public void Mistakes_are_listed_all_at_once()
    {
        var errors = Errors(ai => ai
            .Stream<Movement>("Movements", s => s.PartitionBy(e => e.Carrier, 300).Lateness(TimeSpan.FromMinutes(-1)).Feed<WindowPipeline>())
            .Stream<Pulse>("pulses", s => s.Feed<QueuePipeline>())
            .Stream<Pulse>("pulses-again", s => s.Feed<OfflinePipeline>()));
        foreach (var part in new[]
                 {
                     "'Movements' is no name of a stream", "Lateness(-00:01:00) is negative", "300 partitions; there are from 1 to 256", "WindowPipeline computes whole windows",
                     "brings Pulse, but QueuePipeline is computed over Movement", "Streams 'pulses' and 'pulses-again' both bring Pulse", "Session(00:00:00)", "declare Online = true on Offline",
                 })
            errors.ShouldContain(e => e.Contains(part, StringComparison.Ordinal), part);
    }

    [Fact]
    public void Partitions_are_by_entity_keys_and_pipelines_by_the_same()
    {
        Errors(ai => ai.Stream<Movement>("movements", s => s.PartitionBy(e => e.Carrier, 2).Feed<QueuePipeline>())).ShouldContain(e => e.Contains("uses other than entity keys of Movement (Airport, Id)"));
        Errors(ai => ai.Stream<Movement>("movements", s => s.PartitionBy(e => e.Id, 2).Feed<QueuePipeline>())).ShouldContain(e => e.Contains("QueuePipeline is by e => e.Airport"));
        Errors(ai => ai.Stream<Movement>("movements", s => s.Feed<ByNumberPipeline>())).ShouldContain(e => e.Contains("but the keys of ByNumber are (Int32)"));
    }

    [Fact]
    public void A_fold_has_no_partitions_as_a_stage() =>
        Errors(ai => ai.AddExternal<Movement>().Workflow("w", w => w.Window(TimeSpan.FromDays(1), new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc)).Stage<QueuePipeline>(partitions: 4)))
            .ShouldContain(e => e.Contains("goes on from one event to the next"));

    [Fact]
    public async Task A_row_with_another_key_than_its_event_stops_the_stream_and_is_named()
    {
        await using var host = new WorkflowTestHost(ai => ai.Stream<Movement>("movements", s => s.Feed<WanderingPipeline>()));
        (await Should.ThrowAsync<StageFailedException>(() => host.PushAsync("movements", new Movement("LHR", 1, new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc), 1, null))))
            .Message.ShouldContain("WanderingPipeline.Apply made row [\"CDG\"]");
    }

    public sealed class WanderingPipeline : StreamFeaturePipeline<Movement, Queue>
    {
        protected internal override void Define(StreamBuilder<Movement, Queue> events) => events.By(e => e.Airport);

        protected internal override Queue Apply(Queue? last, Movement e) => new("CDG", e.At, 1, 0);
    }

    private static IReadOnlyList<string> Errors(Action<AiWorkflowsBuilder> define) => Should.Throw<InvalidDefinitionsException>(() => new WorkflowTestHost(define)).Errors;
}
