using System.Globalization;
using AiWorkflows.Workflows;
using Hangfire;
using Hangfire.Common;
using Hangfire.Server;
using Hangfire.States;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>What a schedule does: looks what the workflow owes, and requests it.</summary>
internal sealed class TickJob(RunEngine engine, ILogger<TickJob> log)
{
    [JobDisplayName("{0}: look for what is owed")]
    public async Task Run(string workflow, PerformContext context, CancellationToken ct)
    {
        // A person who presses "Trigger now" wants a run even of a paused workflow.
        var result = ManualTriggerFilter.ByHandOf(context) is { } by
            ? await engine.RequestAsync(new(workflow, null, by, "manual"), ct)
            : await engine.TickAsync(workflow, ct);
        log.LogInformation("{Result}", result.Message);
    }
}

/// <summary>Remembers in a job that it was triggered by hand; Hangfire tells it only by the reason of the job's first state.</summary>
internal sealed class ManualTriggerFilter : IJobFilter, IElectStateFilter
{
    private const string Parameter = "DBG_TriggeredByHandOf";
    private const string HangfiresReason = "Triggered using recurring job manager";

    public bool AllowMultiple => false;

    public int Order => 0;

    /// <summary>Who triggered the job by hand; null for one that its schedule made.</summary>
    public static string? ByHandOf(PerformContext context) => context.GetJobParameter<string?>(Parameter);

    public void OnStateElection(ElectStateContext context)
    {
        if (context.CandidateState is EnqueuedState && string.Equals(context.CandidateState.Reason, HangfiresReason, StringComparison.OrdinalIgnoreCase))
            context.SetJobParameter(Parameter, Caller.Current?.Name ?? "dashboard");
    }
}
