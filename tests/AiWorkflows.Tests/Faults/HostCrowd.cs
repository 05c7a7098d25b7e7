namespace AiWorkflows.Tests.Faults;

/// <summary>Several hosts that share one place.</summary>
internal sealed class HostCrowd(FaultSite site, FaultSettings settings) : IDisposable
{
    private readonly List<FaultProcess> _hosts = [];

    public IReadOnlyList<FaultProcess> Hosts => _hosts;

    /// <summary>What hosts of this place are told when nothing happens to them. A server that hosts share with their tests is slower than a file: their leases are longer.</summary>
    public static FaultSettings Sharing(FaultSite site, int days) => site.IsOnServer ? new() { Days = days, Lease = TimeSpan.FromSeconds(8) } : new() { Days = days, Shared = true };

    /// <summary>True of a place whose work is done: the four days of the warm-up and all others have succeeded.</summary>
    public static string Finished(int days) => $"SELECT CASE WHEN COUNT(*) = {days + 4} AND SUM(CASE WHEN state = 'succeeded' THEN 1 ELSE 0 END) = {days + 4} THEN 1 ELSE 0 END FROM {{workflows.runs}}";

    public FaultProcess Add(string at = "")
    {
        var host = FaultProcess.Serve(site, settings with { At = at });
        _hosts.Add(host);
        return host;
    }

    public void Forget(FaultProcess host)
    {
        _hosts.Remove(host);
        host.Dispose();
    }

    public async Task KillAsync(FaultProcess host)
    {
        host.Kill();
        await host.EndAsync();
        Forget(host);
    }

    /// <summary>SIGTERM, and the end that it has to come to.</summary>
    public async Task StopAsync(FaultProcess host)
    {
        await host.TerminateAsync();
        await host.EndAsync();
        var (code, text) = (host.ExitCode, await host.TextAsync());
        Forget(host);
        // One that is stopped before it has started says so.
        (code == 1 && text.Contains("Interrupted.", StringComparison.Ordinal) ? 0 : code).ShouldBeOneOf([0, 143], text);
    }

    public async Task StopAllAsync()
    {
        foreach (var host in _hosts.ToArray())
            await StopAsync(host);
    }

    public void Dispose() => _hosts.ForEach(host => host.Dispose());
}
