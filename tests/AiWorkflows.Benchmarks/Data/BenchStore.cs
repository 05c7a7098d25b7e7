using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace AiWorkflows.Benchmarks.Data;

/// <summary>An embedded store on a file of its own, into which pipelines publish through the ledger as in a real run, without a job engine.</summary>
internal sealed class BenchStore : IAsyncDisposable
{
    private const string Workflow = "bench";

    private readonly ServiceProvider _services;

    private BenchStore(ServiceProvider services) => _services = services;

    public IFeatureStore Features => _services.GetRequiredService<IFeatureStore>();

    public FeatureViewDefinition<BenchExample> View { get; private set; } = null!;

    public static async Task<BenchStore> OpenAsync(string file, BenchSource? source, CancellationToken ct)
    {
        var services = new ServiceCollection().AddSqliteStorage(file).AddLogging();
        if (source is not null)
            services.AddSingleton(source);
        var store = new BenchStore(services.BuildServiceProvider());
        await store._services.GetRequiredService<Migrator>().MigrateAsync(ct);
        var errors = new List<string>();
        store.View = (FeatureViewDefinition<BenchExample>)FeatureDefinitions.TryCreateView(typeof(BenchView), store._services, errors)!;
        if (errors.Count > 0)
            throw new InvalidDefinitionsException(errors);
        await store.Features.RegisterAsync([.. store.View.Reads.Select(g => new RegisteredGroup(g, null))], [store.View.Registration], ct);
        await store._services.GetRequiredService<ILedger>().RegisterWorkflowsAsync([(Workflow, 1, OverlapPolicy.Queue)], ct);
        return store;
    }

    /// <summary>One run with one stage per pipeline: claimed, executed, published.</summary>
    public async Task RunAsync(Window window, CancellationToken ct, params Type[] pipelines)
    {
        var errors = new List<string>();
        var definitions = pipelines.Select(p => FeatureDefinitions.TryCreatePipeline(p, _services, errors)!).ToArray();
        if (errors.Count > 0)
            throw new InvalidDefinitionsException(errors);
        var ledger = _services.GetRequiredService<ILedger>();
        var (run, _) = await ledger.RequestAsync(new RunRequest(Workflow, window, "benchmark", "manual"), ct);
        var steps = definitions.Select((d, i) => new PlannedStep(d.Name, d.Name, StepKinds.Feature, i, "features", 1, null, null)).ToArray();
        await ledger.AdmitAsync(run, new RunPlan(steps, []), "benchmark", ct);
        var ready = (await ledger.AdvanceAsync(run, "benchmark", steps.Length, ct)).Dispatched;
        foreach (var step in ready)
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
                Services = _services,
                Clock = TimeProvider.System,
                Progress = new StageProgress(),
                Log = NullLogger.Instance,
            };
            var seal = await definitions.Single(d => d.Name == lease.Stage).ExecuteAsync(context, Features, ct);
            var published = await ledger.WinAsync(new Publication(context.Attempt) { Commit = seal, Coverage = (window, window.From) }, ct);
            if (published.Outcome != PublishOutcome.Published)
                throw new InvalidOperationException($"Stage {lease.Stage} was not published: {published.Outcome}.");
        }
        await ledger.AdvanceAsync(run, "benchmark", steps.Length, ct);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
