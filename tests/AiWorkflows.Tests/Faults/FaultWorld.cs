namespace AiWorkflows.Tests.Faults;

/// <summary>A folder with a database, on which hosts are started and killed until its work is done; a seed gives the same kills.</summary>
internal sealed class FaultWorld(int seed, int days) : IDisposable
{
    /// <summary>Points of the protocol at which a host is killed: before and after its transactions, inside of them, and in the code of stages.</summary>
    public static IReadOnlyList<string> Points { get; } =
    [
        .. new[] { "RegisterWorkflowsAsync", "HostSeenAsync", "ExpireAsync", "UndispatchAsync", "CollectAsync", "RequestAsync", "AdmitAsync", "AdvanceAsync", "SetJobsAsync", "ClaimAsync", "LogAsync", "WinAsync", "FailAsync", "PinModelAsync", "AuditAsync" }
            .SelectMany(transaction => new[] { $"before {transaction}", $"after {transaction}" }),
        "before steps are planned", "before edges are planned", "before a step is dispatched", "before an attempt is noted", "before the clock is locked", "before the clock moves",
        "before a commit is published", "before a slice is sealed", "before a dataset is published", "before a version is published", "before an alias is set", "before a batch is published", "before coverage is added",
        "before a watermark is moved", "before an attempt is ended", "before a run is ended", "before a commit is collected", "before outcomes are stored", "before a chunk", "after a chunk",
        "code pulse", "code pulse written", "code peak", "code peak written", "code spread", "code alarm", "code low", "code low written",
    ];

    private static readonly Dictionary<(int Days, StoreEngine Engine), Task<IReadOnlyDictionary<string, string[]>>> EndStates = [];
    private readonly Random _random = new(seed);
    private readonly FaultSite _site = FaultSite.Embedded();

    public string Name => $"world {seed}";

    public int Kills { get; private set; }

    public int Stops { get; private set; }

    public Dictionary<string, int> KilledAt { get; } = [];

    /// <summary>The end of a run of as many days that nobody disturbs.</summary>
    public static Task<IReadOnlyDictionary<string, string[]>> UndisturbedAsync(int days, StoreEngine engine = StoreEngine.Sqlite)
    {
        lock (EndStates)
            return EndStates.TryGetValue((days, engine), out var known) ? known : EndStates[(days, engine)] = RunAsync();

        async Task<IReadOnlyDictionary<string, string[]>> RunAsync()
        {
            using var site = await FaultSite.OnAsync(engine);
            using var process = await FaultProcess.Start(site, new() { Days = days }, "run", "meters").EndAsync();
            process.ExitCode.ShouldBe(0, await process.TextAsync());
            await FaultState.CheckLedgerAsync(site, atRest: true, "undisturbed");
            return await FaultState.ReadAsync(site);
        }
    }

    /// <summary>Starts hosts one after another, each to be killed at some point or instant, until one has finished the work or enough have died; the last one is left alone.</summary>
    public async Task RunAsync(int kills)
    {
        while (Kills < kills && !await KilledHostAsync()) { }
        await FinishAsync();
    }

    /// <summary>A host that nobody kills does what is left, and the end is that of an undisturbed run.</summary>
    public async Task FinishAsync()
    {
        using var last = await FaultProcess.Start(_site, new() { Days = days }, "run", "meters").EndAsync();
        last.ExitCode.ShouldBe(0, $"{Name}: {await last.TextAsync()}");
        await FaultState.CheckLedgerAsync(_site, atRest: true, Name);
        (await FaultState.ReadAsync(_site)).ShouldEqual(await UndisturbedAsync(days), Name);
    }

    /// <summary>Where a host is to die; empty for one that dies at some instant.</summary>
    public static string AnyPoint(Random random, IReadOnlyList<string> points)
    {
        var point = random.Next(10) switch
        {
            < 7 => $"Kill:{points[random.Next(points.Count)]}:{random.Next(1, 4)}",
            7 => $"Throw:code {(random.Next(2) == 0 ? "peak" : "spread")}:1;Kill:{(random.Next(2) == 0 ? "before" : "after")} FailAsync:1",
            _ => "",
        };
        // Who never comes to the point dies a little later.
        return point.Length == 0 ? "" : $"{point};Kill:after WinAsync:{random.Next(2, 8)}";
    }

    public static string NameOf(string point) => point.Length == 0 ? "any instant" : point.Split(';')[^2].Split(':')[1];

    /// <summary>One host; true when it has finished all work before it could be killed.</summary>
    private async Task<bool> KilledHostAsync()
    {
        var point = AnyPoint(_random, Points);
        using var host = FaultProcess.Start(_site, new() { Days = days, At = point }, "run", "meters");
        if (point.Length == 0)
        {
            await Task.WhenAny(host.EndAsync(), Task.Delay(_random.Next(500, 6000)));
            if (!host.HasExited && _random.Next(4) == 0)
            {
                await host.TerminateAsync();
                Stops++;
            }
            else if (!host.HasExited)
                host.Kill();
        }
        await host.EndAsync();
        if (host.WasKilled)
        {
            Kills++;
            var at = NameOf(point);
            KilledAt[at] = KilledAt.GetValueOrDefault(at) + 1;
            if (await _site.IsMigratedAsync())
                await FaultState.CheckLedgerAsync(_site, atRest: false, $"{Name} after a kill at {at}");
        }
        else
            host.ExitCode.ShouldBeOneOf(0, 1, 130, 143);
        return host.ExitCode == 0;
    }

    public void Dispose() => _site.Dispose();
}
