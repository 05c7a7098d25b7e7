using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>
/// Does to runs what people did to their jobs. Hangfire's filters are synchronous and run inside its transaction, so the ledger is told
/// afterwards; a job that is not the step's current one (an old attempt, an earlier process) moves nothing.
/// </summary>
internal sealed class LedgerActions(IServiceProvider services, HostSettings settings, ILogger<LedgerActions> log)
{
    /// <summary>Whoever pressed the button; the request that he made goes on in what is started here.</summary>
    private static string By => Caller.Current?.Name ?? "dashboard";

    public void Resume(long stageRunId, string jobId) => Start(stageRunId, jobId, "resume", (engine, run, ct) => engine.ResumeAsync(run, By, ct));

    public void Cancel(long stageRunId, string jobId) => Start(stageRunId, jobId, "cancel", (engine, run, ct) => engine.CancelAsync(run, By, ct));

    private void Start(long stageRunId, string jobId, string action, Func<RunEngine, long, CancellationToken, Task<bool>> act) => _ = Task.Run(async () =>
    {
        try
        {
            var step = await services.GetRequiredService<ILedger>().FindStageRunAsync(stageRunId, CancellationToken.None);
            if (step is not null && step.Engine == settings.EngineId && step.JobId == jobId)
                await act(services.GetRequiredService<RunEngine>(), step.RunId, CancellationToken.None);
        }
        catch (Exception e)
        {
            log.LogError(e, "Could not {Action} the run of job {Job}", action, jobId);
        }
    });
}
