using AiWorkflows.Features;
using AiWorkflows.Models;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What every model registry promises.</summary>
public abstract class ModelRegistryCompliance
{
    private protected abstract Task<TestStore> OpenAsync();

    internal static readonly DatasetRecord Dataset = new()
    {
        View = "v", ViewVersion = 2, ViewFingerprint = "vf", Window = Readings.Day, CutOff = Readings.At(24), Within = TimeSpan.FromHours(6), AsOfSeq = 0, Rows = 10, UnlabelledRows = 1,
        ContentHash = "hash", FileName = "hash.arrow", FileBytes = 1234, StatisticsJson = "{}", CodeVersion = "code",
        Inputs = [new FeatureInput("a", 1, 0, Readings.Day), new FeatureInput("b", 2, 0, Readings.Day)], Commits = [3, 5],
    };

    internal static readonly ModelVersionRecord Model = new()
    {
        Model = "m", Pipeline = "training", Task = "binary", Description = "says", Trainer = "t", ParametersJson = "{\"threads\":1}", Seed = 7, View = "v", ViewVersion = 2, ViewFingerprint = "vf",
        CutOff = Readings.At(24), Training = Readings.Day, Holdout = new(Readings.At(12), Readings.At(24)), TrainingRows = 8, HoldoutRows = 2, Refit = true, MetricsJson = "{}", BaselineMetricsJson = "{}",
        ChampionMetricsJson = null, PrimaryMetric = "auc", PrimaryValue = 0.75, BaselineValue = 0.5, SignatureJson = "{}", FeatureImportanceJson = "{}", ArtifactSha256 = "sha", Artifact = [1, 2, 3],
        ContentSha256 = "content", Reproducible = false, Reason = "threads", Promotion = "first", CodeVersion = "code",
    };

    [Fact]
    public async Task Dataset_version_artifact_and_alias_become_visible_together_under_one_sequence()
    {
        await using var store = await OpenAsync();
        (await store.Registry.ModelExistsAsync("m", default)).ShouldBeFalse();
        var attempt = await store.AttemptAsync(Readings.Day, "training");
        var won = await store.Ledger.WinAsync(new(attempt) { Dataset = Dataset, Model = Model, Alias = new("m", "champion", 0, "rule", "first version") }, default);
        (won.Seq, won.ModelVersion).ShouldBe((1, 1));

        var version = (await store.Registry.FindVersionAsync("m", 1, default))!;
        version.CreatedAt.Year.ShouldBeGreaterThan(2020);
        version.ShouldBe(Model with { Version = 1, DatasetId = won.DatasetId!.Value, Artifact = null, RunId = attempt.RunId, CreatedAt = version.CreatedAt });
        var dataset = (await store.Registry.FindDatasetAsync(won.DatasetId.Value, default))!;
        dataset.Inputs.ShouldBe(Dataset.Inputs);
        dataset.Commits.ShouldBe(Dataset.Commits);
        (dataset with { Inputs = Dataset.Inputs, Commits = Dataset.Commits, DatasetId = 0 }).ShouldBe(Dataset);
        (await store.Registry.ReadArtifactAsync("sha", default)).ShouldBe([1, 2, 3]);
        (await store.Registry.FindAliasAsync("m", "champion", default))!.Version.ShouldBe(1);
        (await store.Registry.ModelExistsAsync("m", default)).ShouldBeTrue();
        (await store.Registry.FindVersionAsync("m", 2, default)).ShouldBeNull();
        (await store.Registry.FindDatasetAsync(99, default)).ShouldBeNull();
        (await Should.ThrowAsync<InvalidRequestException>(store.Registry.ReadArtifactAsync("none", default))).Message.ShouldContain("none");
    }

    [Fact]
    public async Task A_fenced_attempt_registers_nothing()
    {
        await using var store = await OpenAsync();
        var attempt = await store.AttemptAsync(Readings.Day, "training");
        await store.Ledger.CancelAsync(attempt.RunId, "ada", "enough", default);
        (await store.Ledger.WinAsync(new(attempt) { Dataset = Dataset, Model = Model, Alias = new("m", "champion", 0, "rule", "x") }, default)).Outcome.ShouldBe(PublishOutcome.Fenced);
        (await store.Registry.ModelExistsAsync("m", default)).ShouldBeFalse();
        (await store.Registry.FindAliasAsync("m", "champion", default)).ShouldBeNull();
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.training_datasets}")).ShouldBe(0);
    }

    [Fact]
    public async Task Versions_count_up_per_model_and_equal_artifacts_are_kept_once()
    {
        await using var store = await OpenAsync();
        async Task<int?> PublishAsync(string model) => (await store.Ledger.WinAsync(
            new(await store.AttemptAsync(Readings.Day, "training")) { Dataset = Dataset, Model = Model with { Model = model } }, default)).ModelVersion;
        (await PublishAsync("m")).ShouldBe(1);
        (await PublishAsync("m")).ShouldBe(2);
        (await PublishAsync("other")).ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {model_registry.artifacts}")).ShouldBe(1);
        await store.Registry.SetAliasAsync(new("m", "champion", 1, "rule", "first"), default);
        (await store.Registry.PointersAsync(default)).ShouldBe([new("m", "champion", 1), new("m", null, 2), new("other", null, 1)], ignoreOrder: true);
    }

    [Fact]
    public async Task An_alias_remembers_who_moved_it_why_and_where_it_was()
    {
        await using var store = await OpenAsync();
        (await store.Registry.PreviousVersionAsync("m", "champion", default)).ShouldBeNull();
        await store.Registry.SetAliasAsync(new("m", "champion", 1, "rule", "first"), default);
        (await store.Registry.PreviousVersionAsync("m", "champion", default)).ShouldBeNull();
        await store.Registry.SetAliasAsync(new("m", "champion", 2, "ada", "better"), default);
        await store.Registry.SetAliasAsync(new("m", "challenger", 1, "ada", "compare"), default);
        (await store.Registry.PreviousVersionAsync("m", "champion", default)).ShouldBe(1);
        // Setting it to where it is changes no way back.
        await store.Registry.SetAliasAsync(new("m", "champion", 2, "bob", "sure"), default);
        (await store.Registry.PreviousVersionAsync("m", "champion", default)).ShouldBe(1);
        var alias = (await store.Registry.FindAliasAsync("m", "champion", default))!;
        (alias.Version, alias.ChangedBy, alias.Reason).ShouldBe((2, "bob", "sure"));
        (await store.CountAsync("SELECT COUNT(*) FROM {model_registry.alias_history} WHERE model = 'm' AND alias = 'champion'")).ShouldBe(3);
    }

    [Fact]
    public async Task A_run_keeps_the_version_that_it_first_used_until_it_is_resumed()
    {
        await using var store = await OpenAsync();
        var attempt = await store.AttemptAsync(Readings.Day, "scoring");
        (await store.Ledger.PinModelAsync(attempt.RunId, "m", "champion", default)).ShouldBeNull();
        await store.Registry.SetAliasAsync(new("m", "champion", 1, "rule", "first"), default);
        (await store.Ledger.PinModelAsync(attempt.RunId, "m", "champion", default)).ShouldBe(1);
        await store.Registry.SetAliasAsync(new("m", "champion", 2, "rule", "better"), default);
        (await store.Ledger.PinModelAsync(attempt.RunId, "m", "champion", default)).ShouldBe(1);

        await store.Ledger.CancelAsync(attempt.RunId, "ada", "enough", default);
        await store.Ledger.ResumeAsync(attempt.RunId, "ada", default);
        (await store.Ledger.AdmitAsync(attempt.RunId, Plans.Chain("scoring"), "code", default)).ShouldBe(AdmitResult.Planned);
        (await store.Ledger.PinModelAsync(attempt.RunId, "m", "champion", default)).ShouldBe(2);
    }
}
