using AiWorkflows.Hosting.Dashboard.Backfills;
using AiWorkflows.Hosting.Dashboard.Features;
using AiWorkflows.Hosting.Dashboard.Models;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Runs;
using AiWorkflows.Hosting.Dashboard.Workflows;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Dashboard;

/// <summary>Reads what the pages show, each answer at most once a second.</summary>
internal sealed partial class DashboardReader(
    DashboardQueries queries, ModelQueries models, FeatureQueries features, GroupRowQueries groupRows, BackfillQueries backfills, PredictionQueries predictions, PredictionExplainer explainer,
    StreamReports streams, ILedger ledger, PageCache cache, Catalog catalog, BusinessClock clock, IJobDispatcher dispatcher, StoreDatabase database)
{
    /// <summary>How many windows a strip shows.</summary>
    public const int StripCells = 30;

    private const int RunsPerPage = 50;
    private const int LogLines = 500;
    private const int VersionsPerModel = 10;
    private const int MetricDays = 7;
    private const int ChartDays = 90;
    private const int RowsPerPanel = 50;

    private const int DriftRows = 3_000;

    public Catalog Catalog => catalog;

    private PanelReader Panels() => new(TimeProvider.System, database);

    public DateTime EventTime => clock.GetUtcNow().UtcDateTime;

    /// <summary>Names the job engine of this process: jobs of another one cannot be opened here.</summary>
    public string EngineId => dispatcher.EngineId;

    public Task<IReadOnlyList<DashboardRun>> OpenAndFailedAsync() => cache.GetAsync("open", () => queries.OpenAndFailedAsync(CancellationToken.None));

    public async Task<SectionBar> SectionBarAsync()
    {
        var runs = await Panels().ReadAsync([], _ => OpenAndFailedAsync()).ConfigureAwait(false);
        return new(runs.Count(run => run.IsOpen), runs.Count(run => !run.IsOpen), clock.Stands || clock.Speed is not null ? EventTime : null, clock.Speed);
    }

    public Task<WorkflowsModel> WorkflowsAsync() => cache.GetAsync("workflows", async () =>
    {
        var ct = CancellationToken.None;
        var open = await OpenAndFailedAsync().ConfigureAwait(false);
        var runs = await queries.NewestRunsAsync(StripCells * 2, ct).ConfigureAwait(false);
        string[] pipelines = [.. catalog.Inferences.Select(inference => inference.Name)];
        var panels = Panels();
        return new WorkflowsModel
        {
            OpenAndFailed = open,
            Runs = runs,
            States = await queries.WorkflowsAsync(ct).ConfigureAwait(false),
            Steps = (await queries.StepsOfAsync([.. runs.Concat(open).Select(run => run.RunId).Distinct()], ct).ConfigureAwait(false)).ToDictionary(steps => steps.RunId),
            Watermarks = (await queries.WatermarksAsync(ct).ConfigureAwait(false)).ToDictionary(mark => mark.Pipeline, mark => mark.EventTime.Value),
            Versions = (await queries.NewestVersionsAsync(VersionsPerModel, ct).ConfigureAwait(false)).ToLookup(version => version.Model),
            Totals = await panels.ReadAsync(null, async limited => (DashboardTotals?)await queries.TotalsAsync(limited).ConfigureAwait(false), "facts").ConfigureAwait(false) ?? new(),
            LiveAuc = await panels.ReadAsync([], limited => queries.DailyMetricsAsync(pipelines, "auc", MetricDays * Math.Max(1, pipelines.Length), limited), "facts").ConfigureAwait(false),
            Errors = panels.Errors,
            EventTime = EventTime,
            IsReplay = clock.Speed is not null,
        };
    });

    public Task<RunsModel> RunsAsync(DashboardRunFilter filter, long? before) => cache.GetAsync($"runs {filter} {before}", async () =>
    {
        // One more than is shown tells whether there is an older page.
        var page = await queries.RunsAsync(filter, before, RunsPerPage, CancellationToken.None).ConfigureAwait(false);
        var steps = await queries.StepsOfAsync([.. page.Runs.Select(run => run.RunId)], CancellationToken.None).ConfigureAwait(false);
        return new RunsModel(filter, page.Runs, steps.ToDictionary(s => s.RunId), page.Older, page.LookedDownTo, IsFirstPage: before is null);
    });

    /// <summary>Null where there is no such run.</summary>
    public Task<RunModel?> RunAsync(long runId, DashboardLogFilter log) => cache.GetAsync($"run {runId} {log}", async () =>
    {
        var ct = CancellationToken.None;
        if (await queries.RunAsync(runId, ct).ConfigureAwait(false) is not { } run)
            return null;
        var panels = Panels();
        return new RunModel
        {
            Run = run,
            Steps = await queries.StepsAsync(runId, ct).ConfigureAwait(false),
            Edges = await panels.ReadAsync([], limited => queries.EdgesAsync(runId, limited), "dag").ConfigureAwait(false),
            Attempts = (await panels.ReadAsync([], limited => queries.AttemptsAsync(runId, limited), "timeline").ConfigureAwait(false)).ToLookup(attempt => attempt.StageRunId),
            Outputs = await panels.ReadAsync([], limited => queries.OutputsAsync(runId, limited), "published").ConfigureAwait(false),
            Previous = await panels.ReadAsync(null, limited => queries.PreviousSuccessAsync(run.Workflow, runId, limited)).ConfigureAwait(false),
            Log = await panels.ReadAsync([], limited => queries.LogTailAsync(runId, log, LogLines, limited), "log").ConfigureAwait(false),
            Errors = panels.Errors,
            LogFilter = log,
            EngineId = EngineId,
            Unserved = run.State == States.Running ? await UnservedAsync(ct).ConfigureAwait(false) : [],
        };
    });

    /// <param name="other">Null for the newest succeeded run of the workflow before it.</param>
    /// <returns>Null where one of them is not in the ledger.</returns>
    public Task<RunComparison?> CompareRunsAsync(long runId, long? other) => cache.GetAsync<RunComparison?>($"compare runs {runId} {other}", async () =>
    {
        var ct = CancellationToken.None;
        if (await queries.RunAsync(runId, ct).ConfigureAwait(false) is not { } run)
            return null;
        var second = other is { } id ? await queries.RunAsync(id, ct).ConfigureAwait(false) : await queries.PreviousSuccessAsync(run.Workflow, runId, ct).ConfigureAwait(false);
        if (second is null)
            return other is not null ? null : new RunComparison(await ComparedAsync(run, ct).ConfigureAwait(false), null);
        // The later one second, so that a difference is what has become of it.
        var (earlier, later) = second.RunId < run.RunId ? (second, run) : (run, second);
        return new RunComparison(await ComparedAsync(earlier, ct).ConfigureAwait(false), await ComparedAsync(later, ct).ConfigureAwait(false));
    });

    private async Task<ComparedRun> ComparedAsync(DashboardRun run, CancellationToken ct) =>
        new(run, StepGroup.Of(await queries.StepsAsync(run.RunId, ct).ConfigureAwait(false)), await queries.OutputsAsync(run.RunId, ct).ConfigureAwait(false));

    private async Task<IReadOnlyList<QueueState>> UnservedAsync(CancellationToken ct)
    {
        var waiting = await ledger.QueuesAsync(ct).ConfigureAwait(false);
        return waiting.Count == 0 ? [] : (await LiveHosts.ReadAsync(ledger, ct).ConfigureAwait(false)).Unserved(waiting);
    }

    public Task<IReadOnlyList<StreamReport>> StreamsAsync() => cache.GetAsync("streams", () => streams.ListAsync(CancellationToken.None));

    public Task<BackfillsModel> BackfillsAsync(long? before) => cache.GetAsync($"backfills {before}", async () =>
    {
        var rows = await backfills.ListAsync(null, before, RowsPerPanel + 1, CancellationToken.None).ConfigureAwait(false);
        return new BackfillsModel([.. rows.Take(RowsPerPanel)], rows.Count > RowsPerPanel ? rows[RowsPerPanel - 1].BackfillId : null);
    });

    /// <summary>Null where there is no such backfill.</summary>
    public Task<BackfillModel?> BackfillAsync(long backfillId) => cache.GetAsync($"backfill {backfillId}", async () =>
    {
        var ct = CancellationToken.None;
        if (await backfills.FindAsync(backfillId, ct).ConfigureAwait(false) is not { } backfill)
            return null;
        var windows = await backfills.WindowsAsync(backfillId, 0, ct).ConfigureAwait(false);
        var steps = await queries.StepsOfAsync([.. windows.Where(w => w.State == States.Running).Select(w => w.RunId)], ct).ConfigureAwait(false);
        return new BackfillModel(backfill, windows, steps.ToDictionary(s => s.RunId));
    });

    public Task<ModelsModel> ModelsAsync() => cache.GetAsync("models", async () => new ModelsModel(
        await models.ListAsync(CancellationToken.None).ConfigureAwait(false),
        (await queries.NewestVersionsAsync(VersionsPerModel, CancellationToken.None).ConfigureAwait(false)).ToLookup(version => version.Model)));

    /// <param name="version">The version to show; null for the champion, or the newest where there is none.</param>
    /// <returns>Null where the registry has no such version.</returns>
    public Task<ModelModel?> ModelAsync(string model, int? version) => cache.GetAsync<ModelModel?>($"model {model} {version}", async () =>
    {
        var ct = CancellationToken.None;
        var versions = await models.VersionsAsync(model, null, RowsPerPanel, ct).ConfigureAwait(false);
        var champion = await queries.ChampionAsync(model, ct).ConfigureAwait(false);
        if (versions.Count == 0 || await models.FindAsync(model, version ?? champion ?? versions[0].Version, ct).ConfigureAwait(false) is not { } shown)
            return null;
        string[] pipelines = [.. catalog.Inferences.Where(inference => inference.Model == model).Select(inference => inference.Name)];
        var panels = Panels();
        var history = await panels.ReadAsync([], limited => models.HistoryAsync(model, RowsPerPanel, limited), "aliases").ConfigureAwait(false);
        var live = await panels.ReadAsync([], limited => queries.DailyMetricsAsync(pipelines, shown.PrimaryMetric, ChartDays, limited), "live").ConfigureAwait(false);
        var inputs = await panels.ReadAsync([], limited => queries.InputsOfAsync(0, shown.DatasetId, limited), "lineage").ConfigureAwait(false);
        var drift = await panels.ReadAsync([], limited => queries.DriftAsync(pipelines, model, shown.Version, DriftRows, limited), "drift").ConfigureAwait(false);
        return new ModelModel(model, versions, shown, champion, history, [.. live.Reverse()], inputs) { Drift = drift, Errors = panels.Errors };
    });

    /// <summary>Without numbers: the newest version beside the champion, or beside the one before it.</summary>
    public Task<ComparisonModel?> CompareAsync(string model, int? a, int? b) => cache.GetAsync<ComparisonModel?>($"compare {model} {a} {b}", async () =>
    {
        var ct = CancellationToken.None;
        var versions = await models.VersionsAsync(model, null, RowsPerPanel, ct).ConfigureAwait(false);
        if (versions.Count == 0)
            return null;
        var left = a ?? await queries.ChampionAsync(model, ct).ConfigureAwait(false) ?? versions[^1].Version;
        var right = b ?? versions.FirstOrDefault(version => version.Version != left)?.Version ?? left;
        return await models.FindAsync(model, left, ct).ConfigureAwait(false) is { } first && await models.FindAsync(model, right, ct).ConfigureAwait(false) is { } second
            ? new ComparisonModel(model, versions, first, second) : null;
    });

    public Task<IReadOnlyList<DashboardLogLine>> LogAfterAsync(long runId, long after, DashboardLogFilter filter) =>
        cache.GetAsync($"log {runId} {after} {filter}", () => queries.LogAfterAsync(runId, after, filter, LogLines, CancellationToken.None));

    public Task<DashboardRun?> RunHeadAsync(long runId) => cache.GetAsync($"head {runId}", () => queries.RunAsync(runId, CancellationToken.None));

    public Task<DashboardStep?> StepAsync(long stageRunId) => cache.GetAsync($"step {stageRunId}", () => queries.StepAsync(stageRunId, CancellationToken.None));
}
