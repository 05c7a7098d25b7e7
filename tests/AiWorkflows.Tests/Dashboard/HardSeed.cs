using System.Globalization;
using System.Text.Json;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Dashboard;

/// <summary>A ledger that is hard to show: markup in every text, names of 300 characters, 200 features, a graph of 60 stages, 1,000 partitions, backfills of hours and of years.</summary>
internal static class HardSeed
{
    /// <summary>What would run, or break the page, where a text is not encoded.</summary>
    public const string Markup = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>";

    public const long MarkupRun = 501;
    public const long WideRun = 502;
    public const long PartitionedRun = 503;
    public const long HourlyBackfill = 61;
    public const long LongBackfill = 62;
    public const int Stages = 60;
    public const int Partitions = 1_000;
    public const int Features = 200;

    public static readonly string LongName = string.Concat(Enumerable.Repeat("a-rather-long-name-", 16))[..300];

    public static readonly string WideGroup = "wide_group";

    public static Catalog Catalog { get; } = DashboardSeed.CatalogOf(
        DashboardSeed.Workflow(Markup, "0 * * * *", ["one"]), DashboardSeed.Workflow(LongName, "0 * * * *", [LongName]),
        DashboardSeed.Workflow("wide", "0 * * * *", [.. Enumerable.Range(0, Stages).Select(i => $"stage-{i:00}")]));

    /// <summary>Every page there is, on what is hard to show.</summary>
    public static IReadOnlyList<string> Pages { get; } =
    [
        "/workflows", "/workflows/wide", "/workflows/" + Uri.EscapeDataString(LongName), "/workflows/" + Uri.EscapeDataString(Markup), "/runs", "/runs?workflow=" + Uri.EscapeDataString(Markup), $"/runs/{MarkupRun}", $"/runs/{WideRun}", $"/runs/{PartitionedRun}",
        $"/runs/{MarkupRun}/compare?with={WideRun}", "/backfills", $"/backfills/{HourlyBackfill}", $"/backfills/{LongBackfill}", "/features", "/features/" + WideGroup, "/features/" + Uri.EscapeDataString(Markup),
        "/models", "/models/" + Uri.EscapeDataString(Markup), "/models/" + Uri.EscapeDataString(Markup) + "/compare", "/predictions", "/predictions?model=" + Uri.EscapeDataString(Markup), "/hosts", "/streams", "/search?q=" + Uri.EscapeDataString(Markup), "/search?q=a",
    ];

    public static Task FillAsync(DashboardHost host) => host.Database.WriteAsync(async tx =>
    {
        var start = Timestamps.ToMicros(DashboardSeed.Clock) - DashboardSeed.Minutes(60);
        foreach (var workflow in Catalog.Workflows)
            await tx.ExecuteAsync("INSERT INTO {workflows.workflows} (workflow, paused_at, paused_by) VALUES (@Name, @start, @Markup)", new { workflow.Name, start, Markup });
        await RunsAsync(tx, start);
        await BackfillsAsync(tx, start);
        await GroupsAsync(tx, start);
        await ModelAsync(tx, start);
        await tx.ExecuteAsync("INSERT INTO {workflows.hosts} (host, engine, process_id, kind, url, queues, code_version, started_at, last_seen) VALUES (@Markup, 'e', 1, 'serve', @Markup, @queues, @LongName, 0, {now})",
            new { Markup, LongName, queues = JsonSerializer.Serialize(new Dictionary<string, int> { [Markup] = 2, [LongName] = 1 }) });
    }, CancellationToken.None);

    private static async Task RunsAsync(WriteTransaction tx, long start)
    {
        await DashboardSeed.RunAsync(tx, MarkupRun, Markup, DashboardSeed.Clock.Date, "failed", start, start + DashboardSeed.Seconds(90), Markup + "\n" + LongName, by: Markup);
        await DashboardSeed.StepAsync(tx, 5_010, MarkupRun, Markup, "feature", "failed", 0, start, start + DashboardSeed.Seconds(30), 10, 10, reason: Markup, error: Markup + LongName);
        await DashboardSeed.StepAsync(tx, 5_011, MarkupRun, LongName, "feature", "skipped", 1, null, null, 0, 0, reason: LongName);
        await DashboardSeed.EdgeAsync(tx, MarkupRun, LongName, Markup);
        foreach (var level in new[] { "info", "warning", "error" })
            await tx.ExecuteAsync("INSERT INTO {workflows.stage_logs} (run_id, stage_run_id, attempt, logged_at, level, message) VALUES (@MarkupRun, 5010, 1, @start, @level, @message)", new { MarkupRun, start, level, message = Markup + LongName + LongName });

        await DashboardSeed.RunAsync(tx, WideRun, "wide", DashboardSeed.Clock.Date, "running", start, null);
        for (var i = 0; i < Stages; i++)
        {
            await DashboardSeed.StepAsync(tx, 5_100 + i, WideRun, Stage(i), "feature", i < 40 ? "succeeded" : i == 40 ? "running" : "pending", i, i <= 40 ? start + DashboardSeed.Seconds(i) : null, i < 40 ? start + DashboardSeed.Seconds(i + 3) : null, 1_000, 900);
            foreach (var before in new[] { i - 1 - i % 3, i / 2 }.Where(b => b >= 0 && b < i).Distinct())
                await DashboardSeed.EdgeAsync(tx, WideRun, Stage(i), Stage(before));
        }

        await DashboardSeed.RunAsync(tx, PartitionedRun, LongName, DashboardSeed.Clock.Date.AddDays(-1), "running", start, null);
        for (var i = 0; i < Partitions; i++)
            await DashboardSeed.StepAsync(tx, 6_000 + i, PartitionedRun, "split", "inference", i < 700 ? "succeeded" : i < 703 ? "failed" : i < 720 ? "running" : "pending", 0, i < 720 ? start + DashboardSeed.Seconds(i / 10d) : null, i < 703 ? start + DashboardSeed.Seconds(i / 10d + 5) : null, 10, 10, partition: i, partitions: Partitions, error: i is >= 700 and < 703 ? Markup : null);
    }

    private static async Task BackfillsAsync(WriteTransaction tx, long start)
    {
        var from = new DateTime(2001, 3, 1, 0, 0, 0, DateTimeKind.Utc);
        await BackfillAsync(tx, HourlyBackfill, Markup, from, TimeSpan.FromHours(1), 24 * 12, start, 20_000);
        await BackfillAsync(tx, LongBackfill, "wide", from.AddYears(-6), TimeSpan.FromDays(1), 2_100, start, 30_000);
    }

    private static async Task BackfillAsync(WriteTransaction tx, long id, string workflow, DateTime from, TimeSpan every, int windows, long start, long firstRun)
    {
        await tx.ExecuteAsync(
            "INSERT INTO {workflows.backfills} (backfill_id, workflow, window_from, window_to, every, parallel, train, pin_seq, requested_by, requested_at) VALUES (@id, @workflow, @from, @to, @micros, 2, 0, 7, @Markup, @start)",
            new { id, workflow, from = (Utc)from, to = (Utc)(from + every * windows), micros = every.Ticks / 10, start, Markup });
        for (var i = 0; i < windows; i++)
            await tx.ExecuteAsync(
                """
                INSERT INTO {workflows.runs} (run_id, workflow, requested_by, triggered_by, window_from, window_to, state, requested_at, started_at, finished_at, error, reason, backfill_id)
                VALUES (@run, @workflow, 'ana', 'backfill', @from, @to, @state, @start, @start, @start, @error, NULL, @id)
                """,
                new { run = firstRun + i, workflow, id, start, from = (Utc)(from + every * i), to = (Utc)(from + every * (i + 1)), state = i % 97 == 96 ? "failed" : i < windows * 2 / 3 ? "succeeded" : "requested", error = i % 97 == 96 ? Markup : null });
    }

    private static async Task GroupsAsync(WriteTransaction tx, long start)
    {
        var columns = Enumerable.Range(0, Features).Select(i => new { name = $"feature_{i:000}", type = "single", role = "feature", description = Markup }).Prepend(new { name = "airport", type = "text", role = "key", description = LongName });
        var counted = Enumerable.Range(0, Features).Select(i => new { name = $"feature_{i:000}", count = 990, nulls = 10 + i, min = -5.0, max = 7.5, mean = 2.0, histogram = new { edges = new[] { 0, 1, 2 }, counts = new[] { 400, 590 } } });
        foreach (var (name, json, statistics) in new[] { (WideGroup, JsonSerializer.Serialize(columns), JsonSerializer.Serialize(new { rows = 1_000, columns = counted })), (Markup, """[{"name":"<b>k</b>","type":"text","role":"key"}]""", "{}"), (LongName, """[{"name":"k","type":"text","role":"key"}]""", "{}") })
        {
            await tx.ExecuteAsync(
                "INSERT INTO {feature_store.feature_groups} (feature_group, version, fingerprint, schema_revision, description, written_by, columns_json, created_at) VALUES (@name, 1, 'f', 1, @Markup, @LongName, @json, 0)", new { name, Markup, LongName, json });
            for (var i = 0; i < 3; i++)
                await tx.ExecuteAsync(
                    """
                    INSERT INTO {feature_store.commits} (feature_group, version, kind, window_from, window_to, base_seq, run_id, state, published_seq, published_at, created_at, rows, rows_computed, rows_quarantined, statistics_json, expectations)
                    VALUES (@name, 1, 'replace', 0, 1, 0, @MarkupRun, 'published', (SELECT COALESCE(MAX(published_seq), 0) + 1 FROM {feature_store.commits}), @start, 0, 9, 10, 1, @statistics, @rules)
                    """, new { name, MarkupRun, start, statistics, rules = JsonSerializer.Serialize(new[] { new { rule = Markup, outcome = "quarantine", violations = 1, first = Markup } }) });
            await tx.ExecuteAsync("INSERT INTO {feature_store.quarantine} (commit_id, row_json, rule_name, reason, quarantined_at) SELECT MAX(commit_id), @row, @Markup, @reason, @start FROM {feature_store.commits} WHERE feature_group = @name",
                new { name, Markup, start, row = JsonSerializer.Serialize(new { k = Markup }), reason = Markup + LongName });
            for (var i = 0; i < 40; i++)
                await tx.ExecuteAsync("INSERT INTO {feature_store.lineage} (feature_view, view_version, feature, join_alias, feature_group, group_version, group_column) VALUES (@view, 1, @feature, @alias, @name, 1, 'k')",
                    new { name, view = i < 38 ? $"view_{i:00}" : i == 38 ? Markup : LongName, feature = Markup, alias = name.Length > 100 ? "long" : name.Length > 20 ? "markup" : "wide" });
        }
    }

    private static async Task ModelAsync(WriteTransaction tx, long start)
    {
        foreach (var model in new[] { Markup, LongName })
        {
            await tx.ExecuteAsync("INSERT INTO {model_registry.models} (model, task, description, created_at) VALUES (@model, 'binary', @Markup, 0)", new { model, Markup });
            for (var version = 1; version <= 2; version++)
                await tx.ExecuteAsync(
                    """
                    INSERT INTO {model_registry.versions} (model, version, pipeline, task, trainer, parameters, dataset_id, feature_view, view_version, view_fingerprint, cut_off, training_from, training_to, holdout_from, holdout_to, training_rows, holdout_rows,
                        metrics, baseline_metrics, primary_metric, primary_value, baseline_value, signature, feature_importance, artifact_sha256, content_sha256, promotion, run_id, code_version, published_seq, created_at)
                    VALUES (@model, @version, @Markup, 'binary', @Markup, @parameters, 1, @LongName, 1, 'f', 0, 0, 0, 0, 0, 500000, 100000, '{}', '{}', 'auc', 0.7, 0.6, '{}', @importance, 'a', 'c', @Markup, @MarkupRun, @LongName, @version, @start)
                    """,
                    new
                    {
                        model, version, Markup, LongName, MarkupRun, start, parameters = JsonSerializer.Serialize(new Dictionary<string, string> { [Markup] = LongName + version.ToString(CultureInfo.InvariantCulture), ["same"] = Markup }),
                        importance = JsonSerializer.Serialize(Enumerable.Range(0, Features).ToDictionary(i => i == 0 ? Markup : i == 1 ? LongName : $"feature_{i:000}", _ => 1d / Features)),
                    });
            await tx.ExecuteAsync("INSERT INTO {model_registry.aliases} (model, alias, version, changed_at, changed_by, reason) VALUES (@model, 'champion', 2, 0, @Markup, @LongName)", new { model, Markup, LongName });
            await tx.ExecuteAsync("INSERT INTO {model_registry.alias_history} (model, alias, version, previous_version, changed_at, changed_by, reason) VALUES (@model, 'champion', 2, 1, 0, @Markup, @reason)", new { model, Markup, reason = Markup + LongName });
        }
    }

    private static string Stage(int i) => $"stage-{i:00}";
}
