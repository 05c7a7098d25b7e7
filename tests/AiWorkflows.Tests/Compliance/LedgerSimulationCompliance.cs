using AiWorkflows.Tests.Compliance.Simulation;

namespace AiWorkflows.Tests.Compliance;

/// <summary>Exactly-once outputs under kills, zombies, duplicates and wrong clocks: random worlds over the real store, 12 by default, 200 with AIWORKFLOWS_TEST_LONG=1, as many as AIWORKFLOWS_TEST_WORLDS says where that is set.</summary>
public abstract class LedgerSimulationCompliance
{
    private const int Worlds = 12;
    private const int WorldsAtLength = 200;

    private protected abstract Task<TestStore> OpenAsync();

    [Fact]
    public async Task No_world_however_hostile_breaks_an_invariant()
    {
        var worlds = Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_WORLDS") is { Length: > 0 } asked ? int.Parse(asked, System.Globalization.CultureInfo.InvariantCulture)
            : Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1" ? WorldsAtLength : Worlds;
        var events = new Dictionary<string, int>();
        await Parallel.ForEachAsync(Enumerable.Range(1, worlds), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            await using var store = await OpenAsync();
            var world = new SimulatedWorld(store, seed);
            await world.RunAsync();
            lock (events)
                foreach (var (name, count) in world.Events)
                    events[name] = events.GetValueOrDefault(name) + count;
        });
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", events.OrderBy(e => e.Key).Select(e => $"{e.Key} {e.Value}")));
        // A simulation in which nothing happens proves nothing.
        foreach (var name in new[]
        {
            "kill", "pause", "jump", "cancel", "resume", "published", "failed", "conflict", "fenced win", "fenced chunk", "nothing to claim", "redelivery", "cancelled backfill", "retried backfill",
            "sealed", "slices published", "slices reopened", "weeks",
        })
            events.GetValueOrDefault(name).ShouldBeGreaterThan(0, name);
    }
}
