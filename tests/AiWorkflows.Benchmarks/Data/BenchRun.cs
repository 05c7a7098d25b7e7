using AiWorkflows.Features;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace AiWorkflows.Benchmarks.Data;

/// <summary>One run of the ledger without a job engine: every step is claimed, executed and published as in a real one.</summary>
internal static class BenchRun
{
    public const string Workflow = "bench";

    public static Task RegisterAsync(IServiceProvider services, CancellationToken ct) =>
        services.GetRequiredService<ILedger>().RegisterWorkflowsAsync([(Workflow, 1, OverlapPolicy.Queue)], ct);

    /// <param name="steps">Name and kind of each.</param>
    /// <param name="execute">Executes the step of the attempt, and says what it publishes.</param>
    public static async Task ExecuteAsync(
        IServiceProvider services, Window window, IReadOnlyList<(string Name, string Kind)> steps, Func<StageContext, Task<Publication>> execute, CancellationToken ct)
    {
        var ledger = services.GetRequiredService<ILedger>();
        var (run, _) = await ledger.RequestAsync(new RunRequest(Workflow, window, "benchmark", "manual"), ct);
        await ledger.AdmitAsync(run, new RunPlan([.. steps.Select((s, i) => new PlannedStep(s.Name, s.Name, s.Kind, i, "default", 1, null, null))], []), "benchmark", ct);
        foreach (var step in (await ledger.AdvanceAsync(run, "benchmark", steps.Count, ct)).Dispatched)
        {
            var lease = (await ledger.ClaimAsync(step.StageRunId, new ClaimRequest(Guid.NewGuid(), "benchmark", null, "benchmark", TimeSpan.FromHours(1)), ct)).Lease
                ?? throw new InvalidOperationException($"Step {step.Step} could not be claimed.");
            var context = new StageContext
            {
                Attempt = new AttemptRef(run, step.StageRunId, lease.Attempt, lease.Stage),
                Workflow = Workflow,
                Window = window,
                AsOfSeq = lease.AsOfSeq ?? 0,
                CodeVersion = "benchmark",
                Services = services,
                Clock = TimeProvider.System,
                Progress = new StageProgress(),
                Log = NullLogger.Instance,
            };
            var published = await ledger.WinAsync(await execute(context), ct);
            if (published.Outcome != PublishOutcome.Published)
                throw new InvalidOperationException($"Stage {lease.Stage} was not published: {published.Outcome}.");
        }
        await ledger.AdvanceAsync(run, "benchmark", steps.Count, ct);
    }
}
