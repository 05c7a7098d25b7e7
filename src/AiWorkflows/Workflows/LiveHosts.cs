using System.Text.Json;

namespace AiWorkflows.Workflows;

/// <summary>What the hosts that are alive can do together.</summary>
internal sealed class LiveHosts
{
    /// <summary>Three beats and a little.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(35);

    private readonly HashSet<string> _queues = new(StringComparer.Ordinal);
    private readonly HashSet<string> _stages = new(StringComparer.Ordinal);
    private readonly bool _everything;

    private LiveHosts(IReadOnlyList<HostRecord> alive)
    {
        Count = alive.Count;
        foreach (var host in alive)
        {
            foreach (var (queue, workers) in JsonSerializer.Deserialize<Dictionary<string, int>>(host.QueuesJson) ?? [])
                if (workers > 0)
                    _queues.Add(queue);
            _stages.UnionWith(host.StagesJson is { } json ? JsonSerializer.Deserialize<string[]>(json) ?? [] : []);
            _everything |= host.StagesJson is null;
        }
    }

    public int Count { get; }

    /// <param name="now">The database's clock.</param>
    public static LiveHosts Of(IReadOnlyList<HostRecord> hosts, DateTime now) => new([.. hosts.Where(h => h.LastSeen > now - Silence)]);

    public static async Task<LiveHosts> ReadAsync(ILedger ledger, CancellationToken ct) => Of(await ledger.HostsAsync(ct), await ledger.NowAsync(ct));

    /// <summary>How a host names a stage that it knows.</summary>
    public static string NameOf(string workflow, string stage) => $"{workflow}/{stage}";

    /// <summary>Whether some host defines the stage, or may do so because it does not say what it defines.</summary>
    public bool Know(string workflow, string stage) => _everything || _stages.Contains(NameOf(workflow, stage));

    /// <inheritdoc cref="Know(string, string)"/>
    public bool Know(string workflow) => _everything || _stages.Any(s => s.StartsWith(workflow + "/", StringComparison.Ordinal));

    /// <summary>The queues in which steps wait although no host takes any from them.</summary>
    public IReadOnlyList<QueueState> Unserved(IReadOnlyList<QueueState> waiting) => Count == 0 ? [] : [.. waiting.Where(q => !_queues.Contains(q.Queue))];

    /// <summary>What is wrong with such a queue, and what to do.</summary>
    public static string Describe(QueueState queue) =>
        $"{queue.Waiting} step{(queue.Waiting == 1 ? "" : "s")} wait{(queue.Waiting == 1 ? "s" : "")} in queue '{queue.Queue}' for {(long)queue.Oldest.TotalSeconds} s, and no host that is running takes any from it. "
        + $"Start a host with AiWorkflows:Workers:{char.ToUpperInvariant(queue.Queue[0])}{queue.Queue[1..]} above 0.";
}
