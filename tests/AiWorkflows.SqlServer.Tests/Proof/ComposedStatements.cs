using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Storage.Retention;
using AiWorkflows.Storage.SqlServer;
using Microsoft.Data.Sqlite;
using AiWorkflows.Workflows;

namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>Calls of the methods that put statements together from parts: one for each part that may or may not be there.</summary>
internal static class ComposedStatements
{
    private static readonly string[] RunStates = [States.Requested, States.Running, States.Succeeded, States.Failed, States.Cancelled];

    public static async Task<IReadOnlyList<(string Where, string Template)>> RecordAsync(IReadOnlyList<GroupSchema> groups)
    {
        var database = new RecordingDatabase();
        var ct = CancellationToken.None;
        var day = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var dashboard = new DashboardQueries(database);
        var models = new ModelQueries(database);
        var collector = new SqlServerRowCollector(database);
        var ledger = new Ledger(database, collector);
        List<Func<Task>> calls =
        [
            () => dashboard.RunsAsync(new(), null, 1, ct),
            () => dashboard.RunsAsync(new("w", "s", "t", day, day), 1, 1, ct),
            .. RunStates.Select<string, Func<Task>>(state => () => dashboard.RunsAsync(new("w", state), 1, 1, ct)),
            .. RunStates.Select<string, Func<Task>>(state => () => new RunQueries(database).ListAsync("w", state, null, 1, ct)),
            () => new FeatureQueries(database).ListAsync(ct),
            () => new FeatureQueries(database).FindAsync("g", ct),
            () => new PredictionQueries(database).OfEntityAsync("[1]", "m", 1, ct),
            () => dashboard.LogTailAsync(1, new(), 1, ct),
            () => dashboard.LogAfterAsync(1, 0, new("step", 1, true), 1, ct),
            () => dashboard.BatchesAsync("p", new("m", null, null, null, false), null, 1, ct),
            () => dashboard.BatchesAsync("p", new("m", 1, day, day, false), 1, 1, ct),
            () => dashboard.OnlineBatchesAsync(new("m", 1, null, null, true), 1, 1, ct),
            () => dashboard.RunningStepsAsync(1, ct),
            () => dashboard.CommitsAsync("g", 1, 1, withStatistics: true, 1, ct),
            () => dashboard.RunningStepsAsync(1, ct),
            () => dashboard.CommitsAsync("g", 1, 1, withStatistics: false, 1, ct),
            () => dashboard.PredictionsOfAsync(1, 0, 1, 1, ct),
            () => dashboard.PredictionsOfAsync([1], ct),
            () => dashboard.OnlinePredictionsOfAsync([1], 0, 1, 1, ct),
            () => dashboard.PredictionsAboutAsync("[1]", new("m", 1, day, day, false), 1, 1, ct),
            () => dashboard.PredictionsAboutAsync("[1]", new("m", null, null, null, true), null, 1, ct),
            () => models.FindAsync("m", 1, ct),
            () => models.OfRunAsync(1, ct),
            () => OnlineLog.InsertAsync(new WriteTransaction(database, new SqliteConnection(), null!, ct), [Answered(0), Answered(1)]),
            () => ledger.ExpireAsync(everything: true, 1, ct),
            () => ledger.ExpireAsync(everything: false, 1, ct),
            () => ledger.ClaimAsync(1, new(Guid.Empty, "h", null, "c", TimeSpan.Zero, Opens: new(groups[0], CommitKind.Replace, new(day, day.AddDays(1)))), ct),
        ];
        foreach (var shown in new[]
        {
            SuggestedQueries.RunsOf("w"), SuggestedQueries.StepsOf(1), SuggestedQueries.WindowsOf(1), SuggestedQueries.CommitsOf("g", 1), SuggestedQueries.VersionsOf("m"),
            SuggestedQueries.RowsOf(groups[0].Name, groups[0].Version), SuggestedQueries.PredictionsBy("m"), SuggestedQueries.Prediction(1),
        })
            calls.Add(() => Task.FromResult(SuggestedQueries.Render(database, shown)));
        foreach (var group in groups)
        {
            calls.Add(() => collector.DeleteRowsAsync(group.Name, group.Version, group.EventTime.Name, 1, new Window(day, day.AddDays(1)), ct));
            calls.Add(() => collector.DeleteSliceAsync(group.Name, group.Version, group.EventTime.Name, 1, day, day, ct));
        }
        foreach (var group in groups)
        {
            var stored = StoredColumn.Read(StoredColumn.Write(group));
            calls.Add(() => new GroupRowQueries(database).NewestAsync(group.Name, group.Version, stored, true, null, null, 1, 1, ct));
            calls.Add(() => new GroupRowQueries(database).NewestAsync(group.Name, group.Version, stored, false, "1", day, 1, 1, ct));
            var table = new VersionTable(database, group.Name, group.Version, StoredColumn.Read(StoredColumn.Write(group)));
            calls.Add(async () => await table.RowsAsync(new Window(day, day.AddDays(1)), ct).GetAsyncEnumerator(ct).MoveNextAsync());
            string[] clustered = [.. group.Columns.Take(1 + group.Keys.Count).Select(c => c.Name)];
            calls.Add(() => database.WriteAsync(tx => StreamCompaction.DeleteReplacedAsync(tx, group.Name, group.Version, clustered, new { }), ct));
            calls.Add(() => database.WriteAsync(tx => StreamCompaction.MoveAsync(tx, group.Name, group.Version, clustered, new { }), ct));
            calls.Add(() => database.WriteAsync(tx => table.DeleteAsync(tx, [new([new Utc(day), .. group.Keys.Select(_ => (object)"key")], 1, 1, 1, [])]), ct));
        }
        foreach (var call in calls)
            await database.RecordAsync(call);
        database.Record(() => new NothingApplied(database).Script());
        var batch = "";
        database.Record(() => batch = new SqlServerBatch(database, Ledger.Statements(Publication(groups[0], day))).Text);
        return [.. database.Recorded, ("SqlServerBatch.Text", batch)];
    }

    /// <summary>A publication of everything that can be published at once.</summary>
    private static Publication Publication(GroupSchema group, DateTime day)
    {
        var window = new Window(day, day.AddDays(1));
        var attempt = new AttemptRef(1, 1, 1, "s");
        FeatureInput[] inputs = [new("a", 1, 0, window), new("b", 1, 0, window)];
        var request = new BatchRequest("p", "champion", "m", 1, "v", 1, window, 0, false, day, attempt, "c");
        return new(attempt)
        {
            Commit = new(1, group, window, 0, 0, 0, 0, 0, 0, null, null, "{}", "[]", inputs, []),
            Dataset = new()
            {
                View = "v", ViewVersion = 1, ViewFingerprint = "f", Window = window, CutOff = day, Within = TimeSpan.Zero, AsOfSeq = 0, Rows = 1, UnlabelledRows = 0,
                ContentHash = "h", FileName = "f", FileBytes = 1, CodeVersion = "c", Inputs = inputs, Commits = [1, 2],
            },
            Model = new()
            {
                Model = "m", Pipeline = "p", Task = "binary", Trainer = "t", ParametersJson = "{}", Seed = 1, View = "v", ViewVersion = 1, ViewFingerprint = "f", CutOff = day, Training = window,
                Holdout = window, TrainingRows = 1, HoldoutRows = 1, MetricsJson = "{}", BaselineMetricsJson = "{}", PrimaryMetric = "auc", PrimaryValue = 1, BaselineValue = 1, SignatureJson = "{}",
                FeatureImportanceJson = "{}", ArtifactSha256 = "s", Artifact = [1], ContentSha256 = "s", Reproducible = true, Promotion = "p", CodeVersion = "c",
            },
            Alias = new("m", "champion", 0, "rule", "first"),
            Batch = new(1, request, 1, "h", "[]", 0.5, inputs, [1, 2]),
            Coverage = (window, day),
        };
    }

    private static OnlineRow Answered(int ordinal) => new(1, ordinal, null, 0, null, "[1]", DateTime.UnixEpoch, DateTime.UnixEpoch, 0, new(null, null, null, "{}", "{}", 0), "{}", "[]");

    /// <summary>A migrator that finds no database.</summary>
    private sealed class NothingApplied(StoreDatabase database) : Migrator(database)
    {
        protected override bool Exists() => false;

        protected override IReadOnlyList<AppliedScript> Applied() => [];

        protected override Task<IAsyncDisposable> LockAsync(CancellationToken ct) => throw new NotSupportedException();

        protected override void Prepare() => throw new NotSupportedException();

        protected override DbUp.Builder.UpgradeEngineBuilder Deploy() => throw new NotSupportedException();
    }
}
