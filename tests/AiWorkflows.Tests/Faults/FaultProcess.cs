using System.Diagnostics;
using System.Globalization;

namespace AiWorkflows.Tests.Faults;

/// <summary>What a fault host is told by its environment.</summary>
internal sealed record FaultSettings
{
    /// <summary>As in <c>Kill:after WinAsync:2</c>, several separated by semicolons.</summary>
    public string At { get; init; } = "";

    public int Days { get; init; } = 4;

    /// <summary>How far the database's clock is off.</summary>
    public TimeSpan Clock { get; init; }

    /// <summary>Whether the host shares its database with others, without the file lock.</summary>
    public bool Shared { get; init; }

    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>File that gets the points that are passed.</summary>
    public string? Trace { get; init; }

    public IReadOnlyDictionary<string, string> More { get; init; } = new Dictionary<string, string>();
}

/// <summary>A host as a process of its own, which can be killed and frozen.</summary>
internal sealed class FaultProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    private FaultProcess(Process process)
    {
        _process = process;
        (_output, _error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>128 + 9 for a process that was killed.</summary>
    public int ExitCode => _process.ExitCode;

    public bool WasKilled => _process.ExitCode == 137;

    public static FaultProcess Start(FaultSite site, FaultSettings settings, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = site.Folder };
        start.ArgumentList.Add(Built());
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in site.Settings)
            start.Environment[name] = value;
        start.Environment["NO_COLOR"] = "1";
        start.Environment["FAULT_AT"] = settings.At;
        start.Environment["FAULT_DAYS"] = settings.Days.ToString(CultureInfo.InvariantCulture);
        start.Environment["FAULT_CLOCK"] = settings.Clock.ToString("c", CultureInfo.InvariantCulture);
        start.Environment["FAULT_SHARED"] = settings.Shared ? "1" : "0";
        start.Environment["FAULT_LEASE"] = settings.Lease.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        start.Environment["FAULT_TRACE"] = settings.Trace ?? "";
        foreach (var (name, value) in settings.More)
            start.Environment[name] = value;
        return new(Process.Start(start)!);
    }

    /// <summary>A host that serves until it is stopped, on a port of its own unless one is given.</summary>
    public static FaultProcess Serve(FaultSite site, FaultSettings settings, int port = 0) =>
        Start(site, settings, "serve", "--urls", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));

    /// <summary>Waits until it has ended, by itself or by a signal.</summary>
    public async Task<FaultProcess> EndAsync(TimeSpan? patience = null)
    {
        using var limit = new CancellationTokenSource(patience ?? TimeSpan.FromMinutes(10));
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
            throw new TimeoutException($"The host did not end.\n{await TextAsync()}");
        }
        return this;
    }

    /// <summary>Waits until a count in its database is not zero.</summary>
    public async Task UntilAsync(FaultSite site, string sql)
    {
        for (var watch = Stopwatch.StartNew(); ; await Task.Delay(50))
        {
            try
            {
                if (await site.IsMigratedAsync() && await site.CountAsync(sql) > 0)
                    return;
            }
            catch (Microsoft.Data.Sqlite.SqliteException) when (watch.Elapsed < TimeSpan.FromSeconds(30))
            {
                // It is being made.
            }
            if (_process.HasExited || watch.Elapsed > TimeSpan.FromMinutes(10))
            {
                _process.Kill();
                throw new TimeoutException($"Not reached: {sql}\n{await TextAsync()}");
            }
        }
    }

    /// <summary>Waits until it stands still.</summary>
    public async Task FrozenAsync()
    {
        for (var watch = Stopwatch.StartNew(); !_process.HasExited && !IsFrozen; await Task.Delay(20))
            watch.Elapsed.ShouldBeLessThan(TimeSpan.FromMinutes(2));
        _process.HasExited.ShouldBeFalse();
    }

    public async Task<string> TextAsync() => await _output + await _error;

    public void Kill() => _process.Kill();

    /// <summary>SIGSTOP: it stands still.</summary>
    public Task FreezeAsync() => SignalAsync("STOP");

    /// <summary>SIGCONT: it goes on as if nothing had happened.</summary>
    public Task ThawAsync() => SignalAsync("CONT");

    /// <summary>SIGTERM: it is asked to stop.</summary>
    public Task TerminateAsync() => SignalAsync("TERM");

    /// <summary>Whether it stands still, as the kernel says.</summary>
    public bool IsFrozen => File.ReadAllText($"/proc/{Id}/stat").Split(") ")[^1].StartsWith('T');

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        kill.ExitCode.ShouldBe(0);
    }

    private static string Built()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        var (framework, configuration) = (folder.Name, folder.Parent!.Name);
        for (var above = folder.Parent; above is not null; above = above.Parent)
            if (File.Exists(Path.Combine(above.FullName, "AiWorkflows.sln")))
                return Path.Combine(above.FullName, "tests", "AiWorkflows.FaultHost", "bin", configuration, framework, "AiWorkflows.FaultHost.dll");
        throw new InvalidOperationException($"No AiWorkflows.sln above {AppContext.BaseDirectory}; the tests start the host that was built beside them.");
    }
}
