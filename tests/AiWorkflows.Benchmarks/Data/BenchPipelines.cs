using AiWorkflows;

namespace AiWorkflows.Benchmarks.Data;

/// <summary>Where the pipelines of the benchmark get their rows.</summary>
/// <param name="Flights">Rows of the spine.</param>
/// <param name="Traffic">Rows per airport and hour.</param>
/// <param name="Routes">Rows per route and day.</param>
public sealed record BenchSource(IEnumerable<BenchFlight> Flights, IEnumerable<BenchTraffic> Traffic, IEnumerable<BenchRoute> Routes);

/// <summary>Writes the spine, with expectations on every row.</summary>
public sealed class BenchFlightsPipeline(BenchSource source) : BatchFeaturePipeline<BenchFlight>
{
    /// <inheritdoc/>
    public override IAsyncEnumerable<BenchFlight> ComputeAsync(Window window, CancellationToken ct) => source.Flights.ToAsyncEnumerable();

    /// <inheritdoc/>
    protected internal override void Expect(Expectations<BenchFlight> e) => e
        .InRange(f => f.Delay, -2000, 2000)
        .InRange(f => f.Distance, 0, 6000)
        .Present(f => f.Origin);
}

/// <summary>Writes the traffic of airports.</summary>
public sealed class BenchTrafficPipeline(BenchSource source) : BatchFeaturePipeline<BenchTraffic>
{
    /// <inheritdoc/>
    public override IAsyncEnumerable<BenchTraffic> ComputeAsync(Window window, CancellationToken ct) => source.Traffic.ToAsyncEnumerable();
}

/// <summary>Writes the days of routes.</summary>
public sealed class BenchRoutePipeline(BenchSource source) : BatchFeaturePipeline<BenchRoute>
{
    /// <inheritdoc/>
    public override IAsyncEnumerable<BenchRoute> ComputeAsync(Window window, CancellationToken ct) => source.Routes.ToAsyncEnumerable();
}
