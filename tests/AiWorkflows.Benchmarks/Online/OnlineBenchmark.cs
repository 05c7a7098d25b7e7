using System.Globalization;
using System.Net;
using AiWorkflows.Benchmarks.Application;

namespace AiWorkflows.Benchmarks.Online;

/// <summary>
/// One prediction a request over HTTP: the reference application as it is served, with features looked up by key and every answer durably logged before it leaves,
/// beside a bare endpoint around the same model. Both servers and the client are processes of their own; the sides take turns.
/// </summary>
internal static class OnlineBenchmark
{
    private const string Prepare = "online-prepare";
    private const string Client = "online-client";
    private const string Peer = "online-bare";
    private const string Compare = "online-compare";
    private static readonly int[] Connections = [1, 8, 64];
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(5);

    /// <summary>All connections of the client on one thread, without a hop to another one.</summary>
    private static readonly Dictionary<string, string> ClientSettings = new() { ["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1", ["DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT"] = "1" };

    /// <param name="folder">Where a run of the reference application is, or is made.</param>
    public static async Task<IReadOnlyList<Aim>> RunAsync(int rounds, string folder, CancellationToken ct)
    {
        await Measurement.InOwnProcessAsync(ct, Prepare, folder);
        var (ours, peer) = (new List<Load[]>(), new List<Load[]>());
        for (var round = 0; round < rounds; round++)
        {
            ours.Add(await SideAsync(folder, isPeer: false, ct));
            peer.Add(await SideAsync(folder, isPeer: true, ct));
        }
        var lookUp = await LookUpBenchmark.RunAsync(folder, rounds, ct);
        Console.WriteLine();
        Console.WriteLine($"Online inference, one prediction a request; client and server share {Environment.ProcessorCount} processors, the same client for both sides");
        Console.WriteLine($"  {"side",-44} {"connections",11} {"requests/s",11} {"p50",9} {"p99",9} {"errors",7} {"server",9} {"client",9}   (processor time a request)");
        foreach (var (side, loads) in new[] { ("features looked up, durable log", ours), ("bare PredictionEngine endpoint", peer) })
            for (var i = 0; i < Connections.Length; i++)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  {side,-44} {Connections[i],11} {Of(loads, i, l => l.PerSecond),11:N0} {Of(loads, i, l => l.P50),6:F2} ms {Of(loads, i, l => l.P99),6:F2} ms {loads.Sum(r => r[i].Errors),7} {Of(loads, i, l => l.ServerMicros),6:F0} us {Of(loads, i, l => l.ClientMicros),6:F0} us"));
        var last = Connections.Length - 1;
        return
        [
            new("online: our requests per second over the bare endpoint's, 64 connections", Of(ours, last, l => l.PerSecond) / Of(peer, last, l => l.PerSecond), ">=", 0.5),
            new("online: our p99 over the bare endpoint's, 64 connections", Of(ours, last, l => l.P99) / Of(peer, last, l => l.P99), "<=", 3),
            new("online: requests that were not answered with 200", ours.Concat(peer).Sum(r => r.Sum(l => l.Errors)), "<=", 0),
            .. lookUp,
        ];
    }

    public static async Task<bool> TryRunChildAsync(string[] args, CancellationToken ct)
    {
        switch (args)
        {
            case [Prepare, var directory]:
                var setup = new OnlineSetup(directory);
                await setup.PrepareAsync(ct);
                using (var ours = await setup.ServeAsync(ct))
                using (var bare = await BareAsync(setup, ct))
                    await setup.CompareAsync(ours.Address, bare.Address, ct);
                new Measurement(0, 0, 0, 0).Print();
                return true;
            case [Peer, var model]:
                await BareEndpoint.RunAsync(model, ct);
                return true;
            case [Client, var directory, var side, var server, var id]:
                var requests = side == Peer ? new OnlineSetup(directory).PeerRequests() : new OnlineSetup(directory).Requests();
                var address = IPEndPoint.Parse(server);
                using (var process = System.Diagnostics.Process.GetProcessById(int.Parse(id, CultureInfo.InvariantCulture)))
                {
                    await LoadGenerator.RunAsync(address, process, requests, Connections[^1], Warm, ct);
                    var loads = new List<Load>();
                    foreach (var connections in Connections)
                        loads.Add(await LoadGenerator.RunAsync(address, process, requests, connections, Measured, ct));
                    Measurement.Print(loads.ToArray());
                }
                return true;
            default:
                return false;
        }
    }

    private static async Task<Load[]> SideAsync(string directory, bool isPeer, CancellationToken ct)
    {
        var setup = new OnlineSetup(directory);
        using var server = isPeer ? await BareAsync(setup, ct) : await setup.ServeAsync(ct);
        return await Measurement.InOwnProcessAsync<Load[]>(ClientSettings, ct, Client, directory, isPeer ? Peer : "", server.Address.ToString(), server.Id.ToString(CultureInfo.InvariantCulture));
    }

    private static Task<ServerProcess> BareAsync(OnlineSetup setup, CancellationToken ct) =>
        ServerProcess.StartAsync(typeof(OnlineBenchmark).Assembly.Location, new Dictionary<string, string>(), ct, Peer, setup.ModelFile);

    private static double Of(IEnumerable<Load[]> rounds, int index, Func<Load, double> value) => Measurement.Median(rounds.Select(r => value(r[index])));
}
