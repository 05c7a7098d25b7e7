namespace AiWorkflows.Benchmarks.Join;

/// <summary>What one side of the join found: both sides must agree, or the comparison means nothing.</summary>
internal struct JoinResult
{
    private double _sum;

    public long Rows { get; private set; }

    public long Found { get; private set; }

    public readonly double Sum => _sum;

    public void Add(float hour, float distance, float trafficFlights, float trafficDelay, float routeFlights, float routeDelay)
    {
        Rows++;
        _sum += hour + distance;
        if (!float.IsNaN(trafficFlights))
        {
            Found++;
            _sum += trafficFlights + trafficDelay;
        }
        if (!float.IsNaN(routeFlights))
        {
            Found++;
            _sum += routeFlights + routeDelay;
        }
    }
}
