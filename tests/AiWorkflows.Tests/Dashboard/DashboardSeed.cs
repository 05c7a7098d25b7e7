using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Dashboard;

/// <summary>A ledger with a history: a month of runs, one that is running, one that failed, a paused workflow, two models.</summary>
internal static class DashboardSeed
{
    public static readonly DateTime Clock = new(2001, 6, 19, 1, 0, 0, DateTimeKind.Utc);
    public const long RunningRun = 41;
    public const long FailedRun = 42;
    private static readonly string[] Stages = ["scheduled-flights", "flight-outcomes", "departures", "route-hour", "delay-training", "delay-scoring"];

    public static Catalog Catalog { get; } = CatalogOf(
        Workflow("flight-delays", "0 * * * *", Stages, training: "delay-training", model: "flight-delay"),
        Workflow("delay-minutes", "38 * * * *", ["minutes", "minutes-scoring"]),
        Workflow("route-stats", "5 * * * *", ["route-stats"]),
        Workflow("on-request", null, ["on-request"]));

    public static Catalog CatalogOf(params WorkflowDefinition[] workflows) =>
        new() { Groups = [], FeaturePipelines = [], Views = [], Trainings = [], Inferences = [new InferenceOnly("delay-scoring", "flight-delay")], Workflows = workflows };

    public static WorkflowDefinition Workflow(string name, string? cron, string[] stages, string? training = null, string? model = null) => new(
        name, cron, TimeSpan.FromDays(1), new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc), null, null, CatchUpPolicy.OneRun, OverlapPolicy.Queue, 1,
        [.. stages.Select(stage => new StageDefinition(stage, stage == training ? StepKinds.Training : StepKinds.Feature, null, stage == training ? new ModelOnly(model!) : null, null, [], 3, null))]);

    public static async Task FillAsync(DashboardHost host)
    {
        var now = Timestamps.ToMicros(TimeProvider.System.GetUtcNow().UtcDateTime);
        var job = CreateJob(host);
        await host.Database.WriteAsync(async tx =>
        {
            foreach (var workflow in Catalog.Workflows)
                await tx.ExecuteAsync("INSERT INTO {workflows.workflows} (workflow, paused_at, paused_by) VALUES (@Name, @at, @by)",
                    new { workflow.Name, at = workflow.Name == "route-stats" ? now - Minutes(360) : (long?)null, by = workflow.Name == "route-stats" ? "ana" : null });
            for (var day = 0; day < 29; day++)
                await RunAsync(tx, 10 + day, "flight-delays", Clock.Date.AddDays(day - 29), day == 20 ? "cancelled" : "succeeded", now - Minutes(60 * (30 - day)), now - Minutes(60 * (30 - day) - 3) - day * 1_300_000L);
            for (var day = 0; day < 9; day++)
                await RunAsync(tx, 50 + day, "route-stats", Clock.Date.AddDays(day - 12), "succeeded", now - Minutes(500 - day), now - Minutes(499 - day));
            await RunAsync(tx, RunningRun, "flight-delays", Clock.Date.AddDays(-1), "running", now - Seconds(149), null);
            await RunAsync(tx, FailedRun, "delay-minutes", Clock.Date.AddDays(-1), "failed", now - Minutes(24), now - Minutes(22), "minutes-scoring: dest_weather.wind is missing for 524 of 524 examples (DEN)");
            await RunningStepsAsync(tx, now, host.EngineId, job);
            await FailedStepsAsync(tx, now - Minutes(24), host.EngineId);
            await OutputsAsync(tx, now);
            await LogAsync(tx, now);
        }, CancellationToken.None);
    }

    public static long Minutes(double minutes) => (long)(minutes * 60_000_000);

    public static long Seconds(double seconds) => (long)(seconds * 1_000_000);

    public static Task RunAsync(
        WriteTransaction tx, long id, string workflow, DateTime day, string state, long started, long? finished, string? error = null, string by = "schedule") => tx.ExecuteAsync(
        """
        INSERT INTO {workflows.runs} (run_id, workflow, requested_by, triggered_by, window_from, window_to, state, requested_at, started_at, finished_at, code_version, error, reason)
        VALUES (@id, @workflow, @by, 'schedule', @from, @to, @state, @started, @started, @finished, '4c1e9aa0b7d2c3d4', @error, @reason)
        """, new { id, workflow, by, state, started, finished, error, reason = state == "cancelled" ? "cancelled by sam" : null, from = Timestamps.ToMicros(day), to = Timestamps.ToMicros(day.AddDays(1)) });

    /// <summary>A step and, where it has started, its attempts.</summary>
    public static async Task StepAsync(WriteTransaction tx, long id, long run, string step, string kind, string state, int ordinal, long? started, long? finished, long read, long written,
        int attempt = 1, int failures = 0, int partition = 0, int partitions = 1, long? done = null, string? job = null, string? engine = null, string? reason = null, string? error = null)
    {
        await tx.ExecuteAsync(
            """
            INSERT INTO {workflows.stage_runs} (stage_run_id, run_id, stage, step, kind, ordinal, partition, partitions, queue, state, attempt, failures, max_failures, not_before, host, engine,
                job_id, as_of_seq, started_at, finished_at, reason, error, progress_done, progress_total, rows_read, rows_written, lease_until)
            VALUES (@id, @run, @stage, @step, @kind, @ordinal, @partition, @partitions, @queue, @state, @attempt, @failures, 3, 0, @host, @engine,
                @job, @seq, @started, @finished, @reason, @error, @done, @total, @read, @written, @lease)
            """,
            new
            {
                id, run, stage = step.Split('/')[0], step, kind, ordinal, partition, partitions, queue = kind + "s", state, attempt = started is null ? 0 : attempt, failures,
                host = started is null ? null : "node-a:4120:ab12cd", engine, job, seq = started is null ? (long?)null : 9_110 + ordinal, started, finished, reason, error,
                done = done ?? 0, total = done is null ? (long?)null : 1000, read, written, lease = state == "running" ? started + Minutes(5) : null,
            });
        for (var i = 1; started is { } start && i <= attempt; i++)
            await tx.ExecuteAsync(
                """
                INSERT INTO {workflows.attempts} (stage_run_id, attempt, claim, host, code_version, started_at, ended_at, outcome, error)
                VALUES (@id, @i, @claim, 'node-a:4120:ab12cd', 'x', @from, @to, @outcome, @error)
                """,
                new
                {
                    id, i, claim = $"{id}-{i}", from = start - Seconds(20 * (attempt - i)), to = i < attempt ? start - Seconds(20 * (attempt - i) - 12) : finished,
                    outcome = i < attempt ? "failed" : state == "running" ? null : state, error = i < attempt || state == "failed" ? error ?? "IOException: flights.parquet is locked" : null,
                });
    }

    public static Task EdgeAsync(WriteTransaction tx, long run, string step, string after) =>
        tx.ExecuteAsync("INSERT INTO {workflows.run_edges} (run_id, step, after_step) VALUES (@run, @step, @after)", new { run, step, after });

    private static async Task RunningStepsAsync(WriteTransaction tx, long now, string engine, string job)
    {
        var start = now - Seconds(149);
        await StepAsync(tx, 101, RunningRun, "scheduled-flights", "feature", "succeeded", 0, start + Seconds(1), start + Seconds(7), 4_203, 4_187, job: "11", engine: engine);
        await StepAsync(tx, 102, RunningRun, "flight-outcomes", "feature", "succeeded", 1, start + Seconds(25), start + Seconds(43), 8_391, 4_171, attempt: 2, failures: 1, job: "12", engine: engine);
        await StepAsync(tx, 103, RunningRun, "departures", "feature", "succeeded", 2, start + Seconds(44), start + Seconds(73), 12_544, 1_904, job: "13", engine: engine);
        await StepAsync(tx, 104, RunningRun, "route-hour", "feature", "succeeded", 3, start + Seconds(44), start + Seconds(77), 376_822, 4_866, job: "3", engine: "an-earlier-one");
        await StepAsync(tx, 105, RunningRun, "delay-training", "training", "skipped", 4, null, null, 0, 0, reason: "not due until 2001-06-22");
        for (var i = 0; i < 8; i++)
            await StepAsync(tx, 110 + i, RunningRun, "delay-scoring", "inference", i < 5 ? "succeeded" : i < 7 ? "running" : "pending", 5, i < 7 ? start + Seconds(78 + 8 * i) : null,
                i < 5 ? start + Seconds(100 + 9 * i) : null, i < 5 ? 523 : 0, i < 5 ? 523 : 0, partition: i, partitions: 8, done: i is 5 or 6 ? 713 - 200 * (i - 5) : null, job: i == 5 ? job : i < 7 ? $"2{i}" : null, engine: engine);
        await StepAsync(tx, 120, RunningRun, "delay-scoring/publish", "control", "pending", 6, null, null, 0, 0);
        await StepAsync(tx, 121, RunningRun, "delay-scoring/outcomes", "control", "pending", 7, null, null, 0, 0);
        foreach (var (step, after) in new[] { ("departures", "flight-outcomes"), ("route-hour", "flight-outcomes"), ("delay-training", "departures"), ("delay-training", "route-hour"),
            ("delay-training", "scheduled-flights"), ("delay-scoring", "delay-training"), ("delay-scoring", "scheduled-flights"), ("delay-scoring", "departures"),
            ("delay-scoring/publish", "delay-scoring"), ("delay-scoring/outcomes", "delay-scoring/publish") })
            await EdgeAsync(tx, RunningRun, step, after);
    }

    private static async Task FailedStepsAsync(WriteTransaction tx, long start, string engine)
    {
        await StepAsync(tx, 201, FailedRun, "minutes", "feature", "succeeded", 0, start + Seconds(1), start + Seconds(30), 10_000, 4_000, job: "31", engine: engine);
        await StepAsync(tx, 202, FailedRun, "minutes-scoring", "inference", "failed", 1, start + Seconds(90), start + Seconds(119), 524, 0, attempt: 3, failures: 3, job: "32", engine: engine,
            error: "StageFailedException: dest_weather.wind is missing for 524 of 524 examples (DEN)\nThe group dest_weather is 3 days behind.");
        await StepAsync(tx, 203, FailedRun, "minutes-scoring/outcomes", "control", "cancelled", 2, null, null, 0, 0, reason: "minutes-scoring failed");
        await EdgeAsync(tx, FailedRun, "minutes-scoring", "minutes");
        await EdgeAsync(tx, FailedRun, "minutes-scoring/outcomes", "minutes-scoring");
    }

    private static async Task OutputsAsync(WriteTransaction tx, long now)
    {
        string[] groups = ["scheduled_flights", "flight_outcomes", "departures", "route_hour"];
        for (var i = 0; i < groups.Length; i++)
            await tx.ExecuteAsync(
                """
                INSERT INTO {feature_store.commits} (commit_id, feature_group, version, kind, window_from, window_to, base_seq, run_id, state, published_seq, published_at, created_at, rows, rows_computed, rows_quarantined)
                VALUES (@id, @name, 1, 'replace', 0, 1, 0, @run, 'published', @seq, @at, 0, @rows, @rows, @bad)
                """, new { id = 18_202 + i, name = groups[i], run = RunningRun, seq = 9_113 + i, at = now - Seconds(140 - 20 * i), rows = 4_187 - 300 * i, bad = i == 1 ? 16 : 0 });
        await tx.ExecuteAsync(
            """
            INSERT INTO {feature_store.feature_groups} (feature_group, version, fingerprint, schema_revision, written_by, columns_json, created_at)
            VALUES ('departures', 1, 'f', 1, 'departures', '[{"name":"airport","type":"text","role":"key"},{"name":"delay1h","type":"single","role":"feature","description":"<b>minutes</b>"}]', 0)
            """);
        await tx.ExecuteAsync(
            """
            UPDATE {feature_store.commits} SET statistics_json = '{"rows":10,"columns":[{"name":"delay1h","count":9,"nulls":1,"min":-5,"max":7.5,"mean":2,"histogram":{"edges":[0,1,2],"counts":[4,5]}}]}'
            WHERE feature_group = 'departures'
            """);
        await tx.ExecuteAsync("INSERT INTO {model_registry.models} (model, task, created_at) VALUES ('flight-delay', 'binary', 0)");
        for (var version = 1; version <= 12; version++)
            await tx.ExecuteAsync(
                """
                INSERT INTO {model_registry.versions} (model, version, pipeline, task, trainer, parameters, dataset_id, feature_view, view_version, view_fingerprint, cut_off, training_from, training_to, holdout_from,
                    holdout_to, training_rows, holdout_rows, metrics, baseline_metrics, primary_metric, primary_value, baseline_value, signature, artifact_sha256, content_sha256, promotion, code_version, published_seq, created_at)
                VALUES ('flight-delay', @version, 'delay-training', 'binary', 'LightGbm', '{}', 1, 'delay', 1, 'f', 0, 0, 0, 0, 0, 500000, 100000, '{}', '{}', 'auc', @auc, 0.712, '{}', 'a', 'c',
                    'promoted: 0.770 beats 0.712', 'x', @version, @at)
                """, new { version, auc = 0.741 + 0.0025 * version - (version == 9 ? 0.004 : 0), at = now - Minutes(10_000 - 100 * version) });
        await tx.ExecuteAsync("INSERT INTO {model_registry.aliases} (model, alias, version, changed_at, changed_by, reason) VALUES ('flight-delay', 'champion', 12, 0, 'run 40', 'better')");
        foreach (var stage in Stages)
            await tx.ExecuteAsync("INSERT INTO {workflows.watermarks} (pipeline, input, event_time, processed_seq) VALUES (@stage, '', @at, 1)", new { stage, at = Timestamps.ToMicros(Clock.Date.AddDays(stage == "delay-scoring" ? -1 : 0)) });
        await tx.ExecuteAsync("INSERT INTO {workflows.watermarks} (pipeline, input, event_time, processed_seq) VALUES ('minutes', '', @at, 1)", new { at = Timestamps.ToMicros(Clock.Date.AddDays(-3)) });
        await tx.ExecuteAsync("INSERT INTO {workflows.hosts} (host, engine, process_id, kind, queues, code_version, started_at, last_seen) VALUES ('node-a', 'e', 1, 'serve', '{}', 'x', 0, @now)", new { now });
    }

    private static async Task LogAsync(WriteTransaction tx, long now)
    {
        (long? Step, int Ago, string Level, string Message)[] lines =
        [
            (101, 147, "info", "claimed by node-a, attempt 1"), (101, 142, "info", "published 4,187 rows as commit 18,202 (seq 9,113)"),
            (102, 130, "warning", "attempt 1 on node-a failed, next in 5 s: IOException: flights-2001-06.parquet is locked"), (102, 106, "info", "published 4,171 rows as commit 18,203 (seq 9,114), 16 rows quarantined"),
            (103, 76, "info", "published 1,904 rows as commit 18,204 (seq 9,115)"), (104, 72, "info", "published 4,866 rows as commit 18,205 (seq 9,116), 1,312 unchanged not stored"),
            (null, 71, "info", "delay-training skipped: not due until 2001-06-22"), (110, 70, "info", "8 partitions read as of seq 9,117, model flight-delay v12"), (115, 3, "info", "372 of 524 examples"),
        ];
        foreach (var (step, ago, level, message) in lines)
            await tx.ExecuteAsync("INSERT INTO {workflows.stage_logs} (run_id, stage_run_id, attempt, logged_at, level, message) VALUES (@run, @step, 1, @at, @level, @message)",
                new { run = RunningRun, step, at = now - Seconds(ago), level, message });
        await tx.ExecuteAsync("INSERT INTO {workflows.stage_logs} (run_id, stage_run_id, attempt, logged_at, level, message) VALUES (@run, 202, 3, @at, 'error', 'attempt 3 failed, no try left: dest_weather.wind is missing')",
            new { run = FailedRun, at = now - Minutes(22) });
    }

    /// <summary>Hangfire's job 1: partition 6 of the running step, with progress and log as the job engine writes them.</summary>
    private static string CreateJob(DashboardHost host)
    {
        var job = Job.FromExpression<StageJob>(j => j.Run(115, "flight-delays / delay-scoring 6 of 8, window 2001-06-18", null!, CancellationToken.None), "inference");
        var id = host.Services.GetRequiredService<IBackgroundJobClientV2>().Create(job, new EnqueuedState("inference"));
        using var connection = host.Services.GetRequiredService<JobStorage>().GetConnection();
        connection.SetJobParameter(id, JobProgress.Parameter, System.Text.Json.JsonSerializer.Serialize(new JobProgressState(
            115, RunningRun, "delay-scoring", 1, 372, 524, "scoring", 524, 372,
            ["14:01:44.911 claimed by node-a, attempt 1", "14:02:11.640 warning: 251 of 524 examples, 2 without destination rows", "14:02:29.764 372 of 524 examples"])));
        return id;
    }

    /// <summary>A training pipeline of which the pages need only the model's name.</summary>
    private sealed class ModelOnly : AiWorkflows.Training.TrainingDefinition
    {
        [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
        public ModelOnly(string model) => (Name, Type, ModelName, View) = (model, typeof(object), model, null!);

        public override Task<AiWorkflows.Training.TrainingResult> ExecuteAsync(AiWorkflows.Features.StageContext context, AiWorkflows.Training.TrainingStores stores, CancellationToken ct) => throw new NotSupportedException();

        public override Task<AiWorkflows.Training.PeriodEvaluation> EvaluateAsync(
            AiWorkflows.Models.ModelVersionRecord version, IAsyncEnumerable<AiWorkflows.Training.BacktestedRow> predictions, Window window, AiWorkflows.Features.FeatureReadSession session,
            AiWorkflows.Training.TrainingStores stores, IServiceProvider services, CancellationToken ct) => throw new NotSupportedException();

        public override Task<AiWorkflows.Training.ReproductionResult> ReproduceAsync(
            AiWorkflows.Models.ModelVersionRecord version, AiWorkflows.Models.DatasetRecord dataset, AiWorkflows.Training.TrainingStores stores, IServiceProvider services, CancellationToken ct) => throw new NotSupportedException();
    }

    /// <summary>An inference pipeline of which the pages need only its name and its model's.</summary>
    private sealed class InferenceOnly : AiWorkflows.Inference.InferenceDefinition
    {
        [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
        public InferenceOnly(string name, string model) => (Name, Type, Model, View) = (name, typeof(object), model, null!);

        public override Task<AiWorkflows.Inference.BatchSeal> ExecuteAsync(AiWorkflows.Features.StageContext context, int modelVersion, AiWorkflows.Inference.InferenceStores stores, CancellationToken ct) => throw new NotSupportedException();

        public override AiWorkflows.Inference.OnlineVersion LoadOnline(AiWorkflows.Models.ModelVersionRecord version, byte[] artifact, IServiceProvider services) => throw new NotSupportedException();
    }
}
