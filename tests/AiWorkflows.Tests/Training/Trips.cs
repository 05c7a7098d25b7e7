using AiWorkflows.Features;

namespace AiWorkflows.Tests.Training;

internal enum Weather { Clear, Rain, Snow }

/// <summary>An example with every kind of input that a model takes.</summary>
internal sealed record TripExample(
    float Hour, int Distance, float? Gap, bool Holiday, string? Origin, Weather? Weather, [Feature(VectorLength = 3)] float[]? Load);

/// <summary>Random trips whose lateness depends on hour, gap and weather, so that a model can learn something.</summary>
internal static class Trips
{
    public static readonly DateTime Start = new(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public static readonly TimeSpan Within = TimeSpan.FromHours(6);

    /// <summary>Trips every ten minutes; each is known to be late or not one to five hours later, one in fifty never.</summary>
    public static List<Example<TripExample>> Make(int count, int seed = 7)
    {
        var random = new Random(seed);
        var trips = new List<Example<TripExample>>(count);
        string[] origins = ["LAX", "JFK", "ORD", "ÅBO"];
        for (var i = 0; i < count; i++)
        {
            var time = Start.AddMinutes(10 * i);
            var example = new TripExample(
                time.Hour, random.Next(100, 3000), random.Next(5) == 0 ? null : (float)random.NextDouble(), random.Next(10) == 0,
                random.Next(20) == 0 ? null : origins[random.Next(origins.Length)], random.Next(8) == 0 ? null : (Weather)random.Next(3),
                random.Next(12) == 0 ? null : [random.NextSingle(), random.Next(3), float.NaN]);
            var odds = 0.1 + time.Hour / 60.0 + (example.Gap ?? 0.2) * 0.3 + (example.Weather == Training.Weather.Snow ? 0.2 : 0);
            var late = random.NextDouble() < odds;
            trips.Add(new(example, time, $"[{i}]", random.Next(50) != 0, late ? 1 : 0, null, time.AddHours(1 + random.NextDouble() * 4)));
        }
        return trips;
    }
}
