using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Tests.Workflows;

/// <summary>A host without Hangfire and ASP.NET: the engine over the embedded stores, with jobs as tasks.</summary>
internal sealed class EngineHost : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<(long RunId, TaskCompletionSource<RunEndedEvent> Ended)> _waiting = [];
    private readonly List<RunEndedEvent> _ended = [];
    private Task _loop = Task.CompletedTask;

    private EngineHost(string path, Action<AiWorkflowsBuilder> define, Probe probe, DateTime now, RunEngineOptions? options, DefinitionFactories factories)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSqliteStorage(path);
        services.AddSingleton(probe);
        services.AddSingleton(new BusinessClock(now, TimeProvider.System));
        services.AddSingleton(options ?? Quick());
        services.AddSingleton(Dispatcher);
        services.AddSingleton<IJobDispatcher>(Dispatcher);
        var builder = new AiWorkflowsBuilder(services);
        define(builder);
        services.AddSingleton(provider => Catalog.Build(builder, provider, factories));
        services.AddRunEngine(builder);
        _services = services.BuildServiceProvider();
        Probe = probe;
        Engine = Dispatcher.Engine = _services.GetRequiredService<RunEngine>();
        Engine.RunEnded += OnEnded;
    }

    public static DefinitionFactories WithFakeModels { get; } = DefinitionFactories.Standard with
    {
        Training = (type, views, _, _) => new FakeTraining { Name = "train", Type = type, ModelName = "tick-model", View = views[0] },
        Inference = (type, views, _, _) => new FakeInference { Name = "score", Type = type, Model = "tick-model", View = views[0] },
    };

    public InlineDispatcher Dispatcher { get; } = new();

    public Probe Probe { get; }

    public RunEngine Engine { get; }

    public ILedger Ledger => _services.GetRequiredService<ILedger>();

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public static RunEngineOptions Quick(TimeSpan? beat = null, TimeSpan? lease = null, TimeSpan? sweep = null, TimeSpan? logFlush = null) => new()
    {
        Host = "test", CodeVersion = "1", DatasetDirectory = Path.GetTempPath(), FirstBackoff = TimeSpan.FromMilliseconds(20), Poll = TimeSpan.FromMilliseconds(100),
        Sweep = sweep ?? TimeSpan.FromMilliseconds(500), Beat = beat ?? TimeSpan.FromSeconds(10), Lease = lease ?? TimeSpan.FromSeconds(60),
        AbandonAfter = TimeSpan.FromMilliseconds(200), LogFlush = logFlush ?? TimeSpan.FromMilliseconds(50),
    };

    /// <summary>The whole chain: features, a derived feature, training, scoring; ten days from 2001-01-01 on, of which four are warm-up.</summary>
    public static void Standard(AiWorkflowsBuilder ai) => ai.Add<TickView>().Workflow("w", w => w
        .Window(TimeSpan.FromDays(1), Define.Origin).WarmUp(Define.Day(5)).Until(Define.Day(11))
        .Stage<ScorePipeline>().Stage<TrainPipeline>().Stage<DoublePipeline>().Stage<OutcomePipeline>().Stage<TickPipeline>());

    public static async Task<EngineHost> StartAsync(
        SqliteFile file, Action<AiWorkflowsBuilder>? define = null, Probe? probe = null, DateTime? now = null, RunEngineOptions? options = null, bool loop = true,
        DefinitionFactories? factories = null, Func<DispatchedStep, bool>? losesJob = null)
    {
        var host = new EngineHost(file.Database.Location, define ?? Standard, probe ?? new(), now ?? Define.Day(20), options, factories ?? WithFakeModels);
        host.Dispatcher.Loses = losesJob ?? host.Dispatcher.Loses;
        await host.Engine.StartAsync(default);
        if (loop)
            host._loop = Task.Run(() => host.Engine.RunAsync(host._stop.Token));
        return host;
    }

    public Task<RequestResult> RequestAsync(Window? window = null, string mode = RunModes.Stages) => Engine.RequestAsync(new("w", window, "me", "manual", mode), default);

    /// <summary>Waits until a run has ended in this host.</summary>
    public async Task<RunEndedEvent> EndAsync(long runId)
    {
        Task<RunEndedEvent> ended;
        lock (_waiting)
        {
            if (_ended.FirstOrDefault(e => e.Run.RunId == runId) is { } already)
                return already;
            var source = new TaskCompletionSource<RunEndedEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((runId, source));
            ended = source.Task;
        }
        return await ended.WaitAsync(TimeSpan.FromSeconds(30));
    }

    /// <summary>Waits until all windows of a backfill have ended, and returns them.</summary>
    public async Task<IReadOnlyList<BackfillWindowRow>> EndBackfillAsync(long backfillId)
    {
        var queries = new BackfillQueries(Get<StoreDatabase>());
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((await queries.FindAsync(backfillId, default))!.FinishedAt is null)
            await timer.WaitForNextTickAsync(timeout.Token);
        return await queries.WindowsAsync(backfillId, 0, default);
    }

    /// <summary>What <c>run</c> does: requests and follows until nothing is owed or a run fails.</summary>
    public async Task<IReadOnlyList<RunRecord>> FollowAsync(string mode = RunModes.Stages)
    {
        var runs = new List<RunRecord>();
        ForgetFailed();
        while (await RequestAsync(mode: mode) is { RunId: { } runId })
        {
            runs.Add((await EndAsync(runId)).Run);
            if (runs[^1].State != States.Succeeded)
                break;
        }
        return runs;
    }

    /// <summary>A resumed run ends once more; call it before resuming.</summary>
    public void ForgetFailed()
    {
        lock (_waiting)
            _ended.RemoveAll(e => e.Run.State != States.Succeeded);
    }

    public async Task<IReadOnlyDictionary<string, StageRunRecord>> StepsAsync(long runId) =>
        (await Ledger.StageRunsAsync(runId, default)).ToDictionary(s => s.IsSlice ? $"{s.Step} {s.Partition}" : s.Step);

    /// <summary>Leaves everything as it is, as SIGKILL would: code that is running goes on as a zombie.</summary>
    public async Task AbandonAsync()
    {
        await _stop.CancelAsync();
        await _loop;
    }

    public async ValueTask DisposeAsync()
    {
        await AbandonAsync();
        await Dispatcher.StopAsync();
        await _services.DisposeAsync();
        _stop.Dispose();
    }

    private void OnEnded(RunEndedEvent ended)
    {
        lock (_waiting)
        {
            _ended.Add(ended);
            foreach (var (_, source) in _waiting.Where(w => w.RunId == ended.Run.RunId))
                source.TrySetResult(ended);
            _waiting.RemoveAll(w => w.RunId == ended.Run.RunId);
        }
    }
}
