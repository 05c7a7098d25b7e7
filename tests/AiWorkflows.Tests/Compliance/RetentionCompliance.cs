using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Storage.Retention;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What retention promises on every engine: what is old and not needed goes, and nothing else.</summary>
public abstract partial class RetentionCompliance
{
    private protected abstract Task<TestStore> OpenAsync();

    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    [Fact]
    public async Task Nothing_goes_by_default_and_what_is_young_stays()
    {
        await using var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 2));
        foreach (var policy in new[] { new RetentionPolicy(new Dictionary<RetentionClass, TimeSpan>()), Everything })
            (await Job(store).ApplyAsync(policy, [], "ada", null, default)).ShouldAllBe(l => l.Rows == 0);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.readings_v1_rows}")).ShouldBe(2);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.audit} WHERE action = 'retention'")).ShouldBe(0);
    }

    [Fact]
    public async Task Log_lines_go_by_their_age_unless_their_run_is_not_over()
    {
        await using var store = await OpenAsync();
        var (over, running) = (await store.AttemptAsync(Readings.Day), await store.AttemptAsync(Readings.Day));
        await store.Ledger.LogAsync([.. Enumerable.Range(0, 2500).Select(i => Line(over, $"line {i}", 40)), Line(over, "young", 1), Line(running, "old", 40)], default);
        await store.Ledger.WinAsync(new(over), default);
        await store.Ledger.AdvanceAsync(over.RunId, "engine", 10, default);

        var removed = await PlanAndApplyAsync(store, Only(RetentionClass.StageLogs));
        removed.Rows.ShouldBe(2500);
        (await store.Ledger.LogsAsync(over.RunId, 0, 10, default)).ShouldHaveSingleItem().Message.ShouldBe("young");
        (await store.Ledger.LogsAsync(running.RunId, 0, 10, default)).ShouldHaveSingleItem().Message.ShouldBe("old");
        var audit = await store.Database.ReadFirstAsync<string>("SELECT details FROM {workflows.audit} WHERE action = 'retention' AND subject = 'StageLogs' AND done_by = 'ada'", null, default);
        audit!.ShouldStartWith($"2500 rows, {removed.Bytes} bytes");
    }

    [Fact]
    public async Task An_ended_run_goes_with_all_that_hangs_on_it_but_not_the_newest_one_nor_one_that_is_open_nor_one_that_something_leads_back_to()
    {
        await using var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        await store.Ledger.RegisterWorkflowsAsync([("w", 1000, OverlapPolicy.Queue)], default);
        var gone = await store.StartRunAsync(Readings.Day, "readings", "second", "third");
        foreach (var _ in new int[3])
            await store.Ledger.WinAsync(new(await store.ClaimNextAsync(gone)), default);
        await store.Ledger.AdvanceAsync(gone, "engine", 10, default);
        await store.Ledger.PinModelAsync(gone, "m", "champion", default);
        var failed = await store.AttemptAsync(Readings.Day);
        await store.Ledger.FailAsync(failed, "It broke.", TimeSpan.Zero, final: true, default);
        await store.Ledger.AdvanceAsync(failed.RunId, "engine", 10, default);
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        await EndAllAsync(store);
        var read = await store.CountAsync("SELECT MAX(run_id) FROM {feature_store.commits}");
        var training = await TrainAsync(store, "m", [await store.CountAsync("SELECT MAX(commit_id) FROM {feature_store.commits}")]);
        await Predictions.PublishAsync(store, Readings.Day, [Predictions.Row("x", 1, 0.5)]);
        var predicted = await store.CountAsync("SELECT MAX(run_id) FROM {prediction_log.batches}");
        await EndAllAsync(store);
        var open = await store.AttemptAsync(Readings.Day);
        var newest = await store.StartRunAsync(Readings.Day, "readings");
        await store.Ledger.CancelAsync(newest, "ada", "enough", default);
        await BackdateAsync(store, TimeSpan.FromDays(60));

        var removed = await PlanAndApplyAsync(store, Only(RetentionClass.Runs));
        (await store.Database.ReadAsync<long>("SELECT run_id FROM {workflows.runs} ORDER BY run_id", null, default)).ShouldBe([read, training.RunId, predicted, open.RunId, newest]);
        removed.Held.ShouldBe(3);
        // Run, three steps, three attempts and two edges; run, step and attempt.
        removed.Rows.ShouldBe(12);
        foreach (var table in new[] { "stage_runs", "run_edges", "stage_logs", "run_pins" })
            (await store.CountAsync($"SELECT COUNT(*) FROM {{workflows.{table}}} WHERE run_id IN ({gone}, {failed.RunId})")).ShouldBe(0);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE stage_run_id NOT IN (SELECT stage_run_id FROM {workflows.stage_runs})")).ShouldBe(0);

        // With the predictions their run is free to go.
        await ApplyAsync(store, new(new Dictionary<RetentionClass, TimeSpan> { [RetentionClass.Predictions] = Month, [RetentionClass.Runs] = Month }));
        (await store.Ledger.FindRunAsync(predicted, default)).ShouldBeNull();
        (await store.Ledger.FindRunAsync(training.RunId, default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_run_that_is_resumed_in_the_moment_stays_whole()
    {
        await using var store = await OpenAsync();
        var failed = await store.AttemptAsync(Readings.Day);
        await store.Ledger.FailAsync(failed, "It broke.", TimeSpan.Zero, final: true, default);
        await store.Ledger.AdvanceAsync(failed.RunId, "engine", 10, default);
        await store.StartRunAsync(Readings.Day, "readings");
        await BackdateAsync(store, TimeSpan.FromDays(60));
        (await Job(store).PlanAsync(Only(RetentionClass.Runs), [], default)).Single(l => l.Class == RetentionClass.Runs).Rows.ShouldBe(3);
        await store.Ledger.ResumeAsync(failed.RunId, "ada", default);
        (await ApplyAsync(store, Only(RetentionClass.Runs)))[RetentionClass.Runs].Rows.ShouldBe(0);
        (await store.Ledger.StageRunsAsync(failed.RunId, default)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Quarantine_and_discarded_commits_go_by_their_age()
    {
        await using var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        var kept = await QuarantineAsync(store, publish: true);
        var abandoned = await QuarantineAsync(store, publish: false);
        await store.Ledger.CollectAsync(default);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'collected'")).ShouldBe(1);
        await BackdateAsync(store, TimeSpan.FromDays(60));
        await QuarantineAsync(store, publish: true);

        var policy = new RetentionPolicy(new Dictionary<RetentionClass, TimeSpan> { [RetentionClass.Quarantine] = Month, [RetentionClass.DiscardedCommits] = Month });
        var planned = (await Job(store).PlanAsync(policy, [], default)).ToDictionary(l => l.Class);
        var applied = await ApplyAsync(store, policy);
        applied.ShouldBe(planned);
        applied[RetentionClass.Quarantine].Rows.ShouldBe(1500);
        applied[RetentionClass.DiscardedCommits].Rows.ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.quarantine} WHERE commit_id > @abandoned", new { abandoned })).ShouldBe(1500);
        (await store.Database.ReadAsync<long>("SELECT commit_id FROM {feature_store.commits} ORDER BY commit_id", null, default)).ShouldBe([kept, abandoned + 1]);
    }

    [Fact]
    public async Task Old_predictions_disappear_batch_by_batch_and_what_they_had_replaced_does_not_come_back()
    {
        await using var store = await OpenAsync();
        await Predictions.PublishAsync(store, Readings.Day, [.. Enumerable.Range(0, 1500).Select(i => Predictions.Row($"first {i}", i / 100d, 0.5))]);
        var (_, second) = await Predictions.PublishAsync(store, Readings.Day, [Predictions.Row("second", 1, 0.5)], "same");
        await BackdateAsync(store, TimeSpan.FromDays(60));
        var day = Readings.Day.Shift(TimeSpan.FromDays(1));
        await Predictions.PublishAsync(store, day, [Predictions.Row("young", 25, 0.5)]);

        (await PlanAndApplyAsync(store, Only(RetentionClass.Predictions))).Rows.ShouldBe(1501);
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.predictions_all}")).ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.prediction_rows}")).ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.batches} WHERE state = 'expired' AND content_hash IS NOT NULL")).ShouldBe(2);
        (await store.Predictions.FindAsync(second << 32, default)).ShouldBeNull();
        // Predicted again, they count again, although an expired batch says the same.
        (await Predictions.PublishAsync(store, Readings.Day, [Predictions.Row("second", 1, 0.5)], "same")).Result.BatchUnchanged.ShouldBeFalse();
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.predictions}")).ShouldBe(2);
    }

    [Fact]
    public async Task Predictions_that_were_answered_one_by_one_go_by_the_time_of_the_answer()
    {
        await using var store = await OpenAsync();
        await store.Database.WriteAsync(async tx =>
        {
            for (var ordinal = 0; ordinal < 1200; ordinal++)
                await tx.ExecuteAsync("""
                    INSERT INTO {prediction_log.online_rows} (batch_id, ordinal, item, entity_key, event_time, predicted_at, as_of_seq, output, inputs, features, missing, feature_hash)
                    VALUES (7, @ordinal, 0, '["x"]', {now}, {ago:@Age}, 0, '{}', '{}', '{}', '[]', 0)
                    """, new { ordinal, Age = Timestamps.ToMicros(TimeSpan.FromDays(ordinal < 1100 ? 60 : 1)) });
        }, default);
        (await PlanAndApplyAsync(store, Only(RetentionClass.Predictions))).Rows.ShouldBe(1100);
        (await store.CountAsync("SELECT MIN(ordinal) FROM {prediction_log.online_rows}")).ShouldBe(1100);
    }

    [Fact]
    public async Task A_saved_model_goes_when_no_alias_needs_it_and_can_then_not_be_promoted()
    {
        await using var store = await OpenAsync();
        for (var version = 1; version <= 5; version++)
            await TrainAsync(store, "m", [], artifact: version == 5 ? "3" : $"{version}");
        foreach (var champion in new[] { 1, 2, 4 })
            await store.Registry.SetAliasAsync(new("m", "champion", champion, "ada", "better"), default);
        await BackdateAsync(store, TimeSpan.FromDays(60));
        await TrainAsync(store, "m", [], artifact: "6");

        // 4 is champion and 2 was before it; 3 and 5 are the same.
        var removed = await PlanAndApplyAsync(store, Only(RetentionClass.ModelArtifacts));
        (removed.Rows, removed.Held).ShouldBe((2, 2));
        (await store.Database.ReadAsync<string>("SELECT sha256 FROM {model_registry.artifacts} ORDER BY sha256", null, default)).ShouldBe(["2", "4", "6"]);
        (await Should.ThrowAsync<InvalidRequestException>(store.Registry.SetAliasAsync(new("m", "champion", 1, "ada", "back"), default))).Message.ShouldContain("m v1 has been removed by retention");
        (await store.Registry.FindAliasAsync("m", "champion", default))!.Version.ShouldBe(4);
        (await store.Registry.FindVersionAsync("m", 1, default)).ShouldNotBeNull();
        await store.Registry.SetAliasAsync(new("m", "champion", 2, "ada", "back"), default);
    }

    private static RetentionPolicy Everything { get; } = new(Enum.GetValues<RetentionClass>().ToDictionary(c => c, _ => Month), Month);

    private static RetentionPolicy Only(RetentionClass kind) => new(new Dictionary<RetentionClass, TimeSpan> { [kind] = Month });

    private static RetentionJob Job(TestStore store) => new(store.Database, store.Ledger);

    private static async Task<Dictionary<RetentionClass, RetentionLine>> ApplyAsync(TestStore store, RetentionPolicy policy, IReadOnlyList<ViewReads>? views = null) =>
        (await Job(store).ApplyAsync(policy, views ?? [], "ada", null, default)).ToDictionary(l => l.Class);

    /// <summary>What the plan says is what apply does, and then nothing is left to do.</summary>
    private static async Task<RetentionLine> PlanAndApplyAsync(TestStore store, RetentionPolicy policy)
    {
        var kind = policy.Ages.Keys.Single();
        var planned = (await Job(store).PlanAsync(policy, [], default)).Single(l => l.Class == kind);
        (await ApplyAsync(store, policy))[kind].ShouldBe(planned);
        (await ApplyAsync(store, policy))[kind].Rows.ShouldBe(0);
        return planned;
    }

    private static StageLogLine Line(AttemptRef attempt, string message, int daysAgo) =>
        new(0, attempt.RunId, attempt.StageRunId, attempt.Attempt, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-daysAgo), "info", message);

    /// <summary>Ends every step that is running and every run that has none left.</summary>
    private static async Task EndAllAsync(TestStore store)
    {
        foreach (var run in await store.Ledger.OpenRunsAsync(default))
            await store.Ledger.AdvanceAsync(run.RunId, "engine", 10, default);
    }

    private static async Task<AttemptRef> TrainAsync(TestStore store, string model, IReadOnlyList<long> commits, string artifact = "sha")
    {
        var attempt = await store.AttemptAsync(Readings.Day, "training");
        await store.Ledger.WinAsync(new(attempt)
        {
            Dataset = ModelRegistryCompliance.Dataset with { Commits = commits, Inputs = [] },
            Model = ModelRegistryCompliance.Model with { Model = model, ArtifactSha256 = artifact },
        }, default);
        await store.Ledger.AdvanceAsync(attempt.RunId, "engine", 10, default);
        return attempt;
    }

    private static async Task<long> QuarantineAsync(TestStore store, bool publish)
    {
        var attempt = await store.AttemptAsync(Readings.Day);
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, Readings.Day), default);
        await writer.QuarantineAsync([.. Enumerable.Range(0, 1500).Select(i => new QuarantinedRow($"{{\"n\":{i}}}", "rule", $"commit {writer.CommitId}"))], default);
        if (publish)
            await store.Ledger.WinAsync(new(attempt) { Commit = Readings.Seal(writer, Readings.Day, 0, quarantined: 1500) }, default);
        else
            await store.Ledger.CancelAsync(attempt.RunId, "ada", "enough", default);
        return writer.CommitId;
    }

    /// <summary>Everything that has been done so far was done that much earlier.</summary>
    private static Task BackdateAsync(TestStore store, TimeSpan by) => store.Database.WriteAsync(async tx =>
    {
        var ago = new { Ago = Timestamps.ToMicros(by) };
        await tx.ExecuteAsync("UPDATE {workflows.runs} SET finished_at = {ago:@Ago} WHERE finished_at IS NOT NULL", ago);
        await tx.ExecuteAsync("UPDATE {feature_store.quarantine} SET quarantined_at = {ago:@Ago}", ago);
        await tx.ExecuteAsync("UPDATE {feature_store.commits} SET created_at = {ago:@Ago}, published_at = CASE WHEN published_at IS NULL THEN NULL ELSE {ago:@Ago} END", ago);
        await tx.ExecuteAsync("UPDATE {feature_store.training_datasets} SET published_at = {ago:@Ago}", ago);
        await tx.ExecuteAsync("UPDATE {prediction_log.batches} SET published_at = {ago:@Ago} WHERE published_at IS NOT NULL", ago);
        await tx.ExecuteAsync("UPDATE {model_registry.artifacts} SET created_at = {ago:@Ago}", ago);
        await tx.ExecuteAsync("UPDATE {model_registry.versions} SET created_at = {ago:@Ago}", ago);
        await tx.ExecuteAsync("UPDATE {model_registry.alias_history} SET changed_at = {ago:@Ago}", ago);
    }, default);
}
