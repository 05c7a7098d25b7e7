using System.Globalization;
using AiWorkflows.Hosting.Cli;
using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting;

/// <summary>The course of a replay: the business clock goes from one instant to another, so many times as fast as time.</summary>
internal sealed record ReplayCourse(DateTime From, double Speed, DateTime Until);

/// <summary>
/// <c>serve --replay</c>: history as if it were happening, in a database of its own. What lies before its start is worked through once, for features only; from
/// then on schedules come due by an accelerated clock.
/// </summary>
internal sealed class Replay(IServiceProvider services, ReplayCourse course) : IAsyncDisposable
{
    public const double DefaultSpeed = 3600;
    private const double HighestSpeed = 1_000_000;

    private readonly BusinessClock _clock = services.GetRequiredService<BusinessClock>();
    private readonly RunEngine _engine = services.GetRequiredService<RunEngine>();
    private readonly IReadOnlyList<WorkflowDefinition> _scheduled = services.GetRequiredService<WorkflowSchedules>().Scheduled;
    private readonly ICliConsole _console = services.GetService<ICliConsole>() ?? new SystemConsole();
    private readonly CancellationTokenSource _stop = new();
    private readonly StreamReplays _streams = services.GetRequiredService<StreamReplays>();
    private Task _ticking = Task.CompletedTask;
    private Task _streaming = Task.CompletedTask;

    /// <summary>Turns this host, of which nothing has been asked yet, to the replay's database, warm-up and clock.</summary>
    /// <param name="from">What somebody typed.</param>
    /// <param name="speed">What somebody typed; null for the default.</param>
    /// <exception cref="InvalidRequestException">The start lies outside the data, the speed is none, nothing is scheduled, or the store is shared.</exception>
    public static Replay Prepare(IServiceProvider services, string from, string? speed)
    {
        var settings = services.GetRequiredService<HostSettings>();
        settings.ThrowIfWrong();
        if (settings.Options.Engine != StoreEngine.Sqlite)
            throw new InvalidRequestException("A replay has an embedded database of its own and touches no other; it does not run on SQL Server. Add --AiWorkflows:Engine=Sqlite.");
        var (start, times) = (UtcTime.Parse(from, "--replay"), ParseSpeed(speed));
        services.GetRequiredService<AiWorkflowsBuilder>().ReplayFrom = start;
        var scheduled = services.GetRequiredService<Catalog>().Workflows.Where(w => w.Cron is not null).ToArray();
        var now = services.GetRequiredService<TimeProvider>().GetUtcNow().UtcDateTime;
        RequireWithin(start, scheduled, now);
        var course = new ReplayCourse(start, times, scheduled.Max(w => End(w, now)));
        settings.ReplayInstead(course);
        // It stands until everything is ready.
        services.GetRequiredService<BusinessClock>().MoveTo(start);
        return new(services, course);
    }

    /// <summary>Every replay begins with nothing. The lock is held, so nobody else has the files.</summary>
    public static void ForgetTheLast(HostSettings settings)
    {
        foreach (var file in new[] { "", "-wal", "-shm" })
            File.Delete(settings.DatabasePath + file);
    }

    /// <summary>Lets the clock run, and the schedules with it.</summary>
    public async Task StartAsync(string url)
    {
        await WriteAsync($"Dashboard: {url}/hangfire  (Ctrl+C stops)");
        foreach (var line in Banner(services.GetRequiredService<HostSettings>()))
            await WriteAsync(line);
        _engine.RunEnded += Tell;
        _clock.Run(course.From, course.Speed, course.Until);
        var log = services.GetRequiredService<ILoggerFactory>().CreateLogger("AiWorkflows.Hosting.Replay");
        var ticker = new ReplayTicker(_scheduled, _clock, services.GetRequiredService<TimeProvider>(), course.Until, _engine.TickAsync, log);
        _streaming = _streams.RunAsync(course.From, course.Until, _stop.Token);
        _ticking = Task.Run(async () =>
        {
            await ticker.RunAsync(_stop.Token);
            await WriteAsync($"{course.Until.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}  the replay has come to its end and the clock stands; what is still running goes on, and everything can be looked at until Ctrl+C.");
        });
    }

    public async ValueTask DisposeAsync()
    {
        _engine.RunEnded -= Tell;
        await _stop.CancelAsync();
        try
        {
            await _ticking;
            await _streaming;
        }
        catch (OperationCanceledException)
        {
            // Stopped before its end.
        }
        _stop.Dispose();
    }

    private IEnumerable<string> Banner(HostSettings settings)
    {
        var day = TimeSpan.FromDays(1) / course.Speed;
        yield return $"Scheduled: {string.Join(", ", _scheduled.Select(w => $"{w.Name} ({w.Cron} UTC)"))}, by the clock of the replay";
        yield return $"Replay: from {Timestamps.Display(course.From)} to {Timestamps.Display(course.Until)} UTC, {course.Speed.ToString("N0", CultureInfo.InvariantCulture)} times as fast as time, a day in {Format.Seconds(day.TotalSeconds)}";
        if (_streams.Streams.Count > 0)
            yield return $"  Streams go with the clock: {string.Join(", ", _streams.Streams.Select(s => s.Name))}. Look at /hangfire/streams.";
        yield return $"  Its database, new with every start: {settings.DatabasePath}";
        yield return "  First comes one run over the history before, for features only; then a run for each window as it ends, which trains, predicts and fills in what became of earlier predictions.";
        yield return "  Look at /hangfire/workflows for windows and live AUC, /hangfire/runs for the runs, /hangfire/models for versions and why each was promoted or not.";
        yield return $"  Every command works on it too, for example: models list \"--AiWorkflows:ConnectionString=Data Source={settings.DatabasePath}\"";
    }

    private void Tell(RunEndedEvent ended)
    {
        var why = ended.Run.Error is { } error ? $": {Format.OneLine(error, 300)}" : "";
        var now = _clock.GetUtcNow().UtcDateTime;
        _ = WriteAsync($"{now.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}  run {ended.Run.RunId} of {ended.Run.Workflow} for {ended.Run.Window} {ended.Run.State}{why}");
    }

    private Task WriteAsync(string line)
    {
        lock (_console)
            _console.Out.WriteLine(line);
        return Task.CompletedTask;
    }

    private static double ParseSpeed(string? text)
    {
        if (text is null)
            return DefaultSpeed;
        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var speed) && speed is >= 1 and <= HighestSpeed
            ? speed
            : throw new InvalidRequestException($"--speed '{text}' is no speed; give how many seconds of history pass in one of yours, from 1 to {HighestSpeed.ToString("0", CultureInfo.InvariantCulture)} (3600: an hour a second).");
    }

    private static DateTime End(WorkflowDefinition workflow, DateTime now) => workflow.Until is { } until && until < now ? until : now;

    private static void RequireWithin(DateTime start, WorkflowDefinition[] scheduled, DateTime now)
    {
        if (scheduled.Length == 0)
            throw new InvalidRequestException("No workflow has a schedule, so there is nothing to replay; give one with w.Every(\"0 * * * *\").");
        if (scheduled.Any(w => start > w.Origin && start < End(w, now)))
            return;
        var data = string.Join(", ", scheduled.Select(w => $"that of {w.Name} goes from {Timestamps.Display(w.Origin)} to {Timestamps.Display(End(w, now))}"));
        throw new InvalidRequestException($"--replay {Timestamps.Display(start)} does not lie within the data: {data} (UTC), and a replay needs some history before its start.");
    }
}
