using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Benchmarks.Data;

/// <summary>An embedded store on a file of its own, into which pipelines publish through the ledger as in a real run, without a job engine.</summary>
internal sealed class BenchStore : IAsyncDisposable
{
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
        await BenchRun.RegisterAsync(store._services, ct);
        return store;
    }

    /// <summary>One run with one stage per pipeline: claimed, executed, published.</summary>
    public async Task RunAsync(Window window, CancellationToken ct, params Type[] pipelines)
    {
        var errors = new List<string>();
        var definitions = pipelines.Select(p => FeatureDefinitions.TryCreatePipeline(p, _services, errors)!).ToArray();
        if (errors.Count > 0)
            throw new InvalidDefinitionsException(errors);
        await BenchRun.ExecuteAsync(_services, window, [.. definitions.Select(d => (d.Name, StepKinds.Feature))], async context => new Publication(context.Attempt)
        {
            Commit = await definitions.Single(d => d.Name == context.Attempt.Stage).ExecuteAsync(context, Features, ct), Coverage = (window, window.From),
        }, ct);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
