using Cronos;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Workflows;

/// <summary>
/// Ticks the schedules by the business clock while that runs through history; job engines know only the system's. Ticks that have passed in the meantime are one:
/// a tick covers everything that is owed.
/// </summary>
internal sealed class ReplayTicker
{
    /// <summary>Real time between two ticks of a workflow, however fast the clock runs: a failed run is tried again with each.</summary>
    public static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250);

    private readonly BusinessClock _clock;
    private readonly TimeProvider _system;
    private readonly Func<string, CancellationToken, Task> _tick;
    private readonly DateTime _until;
    private readonly ILogger _log;
    private readonly List<Schedule> _schedules;

    /// <param name="tick">What a tick of the workflow does.</param>
    /// <param name="until">Where the clock stops: a last tick comes then, and no other.</param>
    public ReplayTicker(IReadOnlyList<WorkflowDefinition> scheduled, BusinessClock clock, TimeProvider system, DateTime until, Func<string, CancellationToken, Task> tick, ILogger log)
    {
        (_clock, _system, _until, _tick, _log) = (clock, system, until, tick, log);
        _schedules = [.. scheduled.Select(w => new Schedule(w.Name, CronExpression.Parse(w.Cron!), Now))];
    }

    private DateTime Now => _clock.GetUtcNow().UtcDateTime;

    /// <summary>Ticks every workflow once, then each when it is due, until the clock has stopped.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            foreach (var schedule in _schedules.Where(s => s.Due <= Now).ToArray())
                await TickAsync(schedule, ct);
            if (Now >= _until && _schedules.All(s => s.Due > _until))
                return;
            var next = _schedules.Min(s => s.Due);
            var wait = _clock.RealTimeTo(next < _until ? next : _until) ?? TimeSpan.Zero;
            await Task.Delay(wait > ShortestPause ? wait : ShortestPause, _system, ct);
        }
    }

    private async Task TickAsync(Schedule schedule, CancellationToken ct)
    {
        // Read before: what falls due while the tick looks is left to the next.
        var now = Now;
        try
        {
            await _tick(schedule.Workflow, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _log.LogError(e, "The tick of {Workflow} at {Time} failed; the next one looks for the same", schedule.Workflow, Timestamps.Display(now));
        }
        var next = schedule.Cron.GetNextOccurrence(now) ?? DateTime.MaxValue;
        // The last cell is owed from the end on, which need not be a tick.
        schedule.Due = now < _until && next > _until ? _until : next;
    }

    private sealed class Schedule(string workflow, CronExpression cron, DateTime due)
    {
        public string Workflow => workflow;

        public CronExpression Cron => cron;

        public DateTime Due { get; set; } = due;
    }
}
