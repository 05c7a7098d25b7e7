namespace AiWorkflows.Tests.Faults;

/// <summary>Two hosts on one database of SQL Server, each killed at some point of the protocol or at some instant and replaced, until the work is done; a seed gives the same kills, though not the same interleaving.</summary>
internal sealed class SharedFaultWorld(int seed, int days, FaultSite site) : IDisposable
{
    private const int Hosts = 2;
    private readonly Random _random = new(seed);
    private readonly List<(FaultProcess Process, string At)> _hosts = [];
    private readonly FaultSettings _settings = HostCrowd.Sharing(site, days);

    /// <summary>Statements travel in batches there, and chunks as bulk copies: both can be cut while they are under way.</summary>
    public static IReadOnlyList<string> Points { get; } = [.. FaultWorld.Points, "a batch is under way", "a chunk is under way"];

    public string Name => $"world {seed} on {site.Engine}";

    public int Kills { get; private set; }

    public int Stops { get; private set; }

    public Dictionary<string, int> KilledAt { get; } = [];

    public async Task RunAsync(int kills)
    {
        while (_hosts.Count < Hosts)
            Start();
        while (Kills < kills && await site.CountAsync(HostCrowd.Finished(days)) == 0)
        {
            var ended = Task.WhenAny(_hosts.Select(h => h.Process.EndAsync()));
            if (await Task.WhenAny(ended, Task.Delay(_random.Next(3000, 9000))) != ended)
                // One that dies or stops although it has come to no point.
                await EndAsync(_hosts[_random.Next(Hosts)].Process);
            foreach (var host in _hosts.Where(h => h.Process.HasExited).ToArray())
                await ReplaceAsync(host.Process, host.At);
        }
        foreach (var (process, _) in _hosts)
            if (!process.HasExited)
            {
                await process.TerminateAsync();
                await process.EndAsync();
            }
        using var last = await FaultProcess.Start(site, _settings, "run", "meters").EndAsync();
        last.ExitCode.ShouldBe(0, $"{Name}: {await last.TextAsync()}");
        await FaultState.CheckLedgerAsync(site, atRest: true, Name);
        (await FaultState.ReadAsync(site)).ShouldEqual(await FaultWorld.UndisturbedAsync(days, StoreEngine.SqlServer), Name);
    }

    public void Dispose() => _hosts.ForEach(host => host.Process.Dispose());

    private void Start()
    {
        var at = FaultWorld.AnyPoint(_random, Points);
        _hosts.Add((FaultProcess.Serve(site, _settings with { At = at }), at));
    }

    private async Task EndAsync(FaultProcess host)
    {
        if (_random.Next(5) == 0)
            await host.TerminateAsync();
        else
            host.Kill();
        await host.EndAsync();
    }

    private async Task ReplaceAsync(FaultProcess process, string at)
    {
        if (process.WasKilled)
        {
            Kills++;
            var name = FaultWorld.NameOf(at);
            KilledAt[name] = KilledAt.GetValueOrDefault(name) + 1;
            await FaultState.CheckLedgerAsync(site, atRest: false, $"{Name} after a kill at {name}");
        }
        else
        {
            Stops++;
            process.ExitCode.ShouldBeOneOf([0, 1, 130, 143], await process.TextAsync());
        }
        _hosts.RemoveAll(h => h.Process == process);
        process.Dispose();
        Start();
    }
}
