using AiWorkflows.Benchmarks.Data;
using AiWorkflows.Features;

namespace AiWorkflows.Benchmarks.Join;

/// <summary>Our side: from the store on disk to examples.</summary>
internal static class StoreJoin
{
    public static async Task PrepareAsync(string file, BenchData data, CancellationToken ct)
    {
        await using var store = await BenchStore.OpenAsync(file, new BenchSource(data.Flights(), data.Traffic(), data.Routes()), ct);
        await store.RunAsync(data.Window, ct, typeof(BenchFlightsPipeline), typeof(BenchTrafficPipeline), typeof(BenchRoutePipeline));
    }

    public static async Task<JoinResult> RunAsync(BenchStore store, Window window, CancellationToken ct)
    {
        var session = new FeatureReadSession(store.Features, await store.Features.CurrentSeqAsync(ct));
        var result = new JoinResult();
        await foreach (var examples in store.View.ReadAsync(session, window, new ExampleOptions(Labels: false, LabelsKnownBefore: null, EntityKeys: false), ct))
            foreach (var example in examples)
                result.Add(example.Features.Hour, example.Features.Distance, example.Features.TrafficFlights, example.Features.TrafficDelay, example.Features.RouteFlights, example.Features.RouteDelay);
        return result;
    }
}
