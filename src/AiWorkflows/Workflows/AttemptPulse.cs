using Microsoft.Extensions.Logging;

namespace AiWorkflows.Workflows;

/// <summary>
/// Prolongs the lease of a running attempt, and takes its progress and log lines to the ledger. Only a beat that finds the lease lost
/// stops the code; a beat that fails does not, for the database may be back before the lease runs out.
/// </summary>
internal sealed class AttemptPulse : IAsyncDisposable
{
    private readonly RunningAttempt _attempt;
    private readonly StageLog _stageLog;
    private readonly ILedger _ledger;
    private readonly RunEngineOptions _options;
    private readonly ILogger _log;
    private readonly PeriodicTimer _timer;
    private readonly Task _loop;

    public AttemptPulse(RunningAttempt attempt, StageLog stageLog, ILedger ledger, RunEngineOptions options, ILogger log)
    {
        (_attempt, _stageLog, _ledger, _options, _log) = (attempt, stageLog, ledger, options, log);
        _timer = new PeriodicTimer(options.Beat < options.LogFlush ? options.Beat : options.LogFlush);
        _loop = LoopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _loop;
        try
        {
            await _stageLog.FlushAsync(_ledger, CancellationToken.None);
        }
        catch (Exception e)
        {
            _log.LogWarning(e, "Log lines of step {Step} were lost", _attempt.Ref.StageRunId);
        }
    }

    private async Task LoopAsync()
    {
        var progress = _attempt.Progress;
        var (lastBeat, lastSeen) = (TimeSpan.Zero, (0L, 0L, 0L, ""));
        while (await _timer.WaitForNextTickAsync(CancellationToken.None))
        {
            try
            {
                // Not cancelled by the attempt's end: lines that were taken for a write would be lost with it.
                await _stageLog.FlushAsync(_ledger, CancellationToken.None);
                var seen = (progress.Done, progress.RowsRead, progress.RowsWritten, progress.Text);
                var elapsed = _attempt.Elapsed;
                // Progress is shown live, so it is stored once a second; a stage without progress costs a write per beat.
                if (elapsed - lastBeat < _options.Beat && (seen == lastSeen || elapsed - lastBeat < TimeSpan.FromSeconds(1)))
                    continue;
                (lastBeat, lastSeen) = (elapsed, seen);
                if (!await _ledger.BeatAsync(_attempt.Ref, _options.Lease, progress, CancellationToken.None))
                    _attempt.Stop(_attempt.TimeLimit is { } limit && elapsed + TimeSpan.FromSeconds(1) >= limit ? StopReason.TimeLimit : StopReason.Fenced);
            }
            catch (Exception e)
            {
                _log.LogWarning(e, "The lease of step {Step} could not be prolonged; its code goes on", _attempt.Ref.StageRunId);
            }
        }
    }
}
