using System.Text.Json;
using AiWorkflows.Features;
using AiWorkflows.Models;
using AiWorkflows.Training;

namespace AiWorkflows.Tests.Training;

public sealed class TrainingTests : IDisposable
{
    private static readonly DateTime CutOff = TripDefinitions.CutOff;
    private readonly Stage _stage = new();
    private readonly List<Example<TripExample>> _trips = Trips.Make(TripDefinitions.Rows);

    public void Dispose() => _stage.Dispose();

    [Fact]
    public async Task Training_twice_gives_the_same_content_and_the_same_file()
    {
        var first = await TrainAsync<TripTraining>();
        var second = await TrainAsync<TripTraining>();
        second.Dataset.ContentHash.ShouldBe(first.Dataset.ContentHash);
        second.Model.ContentSha256.ShouldBe(first.Model.ContentSha256);
        second.Model.ArtifactSha256.ShouldBe(first.Model.ArtifactSha256);
        first.Model.Reproducible.ShouldBeTrue();
    }

    [Fact]
    public async Task Training_and_holdout_lie_before_the_cut_off_and_apart_by_the_labels_horizon()
    {
        var result = await TrainAsync<TripTraining>();
        var (from, last) = (CutOff - TripTraining.History, CutOff - Trips.Within);
        var labelled = _trips.Where(t => t.HasLabel && t.LabelKnownAt < CutOff).ToArray();

        result.Model.TrainingRows.ShouldBe(labelled.Count(t => t.EventTime >= from && t.EventTime <= last - TripTraining.Holdout));
        result.Model.HoldoutRows.ShouldBe(labelled.Count(t => t.EventTime >= CutOff - TripTraining.Holdout && t.EventTime <= last));
        result.Dataset.Rows.ShouldBe(labelled.Count(t => t.EventTime >= from && t.EventTime <= last));
        result.Dataset.UnlabelledRows.ShouldBe(_trips.Count(t => t.EventTime >= from && t.EventTime <= last) - result.Dataset.Rows);
        result.Dataset.Window.Contains(last).ShouldBeTrue("t <= cut-off - within");
        result.Dataset.Window.Contains(last.AddMicroseconds(1)).ShouldBeFalse();
        result.Model.CutOff.ShouldBe(CutOff);
    }

    [Fact]
    public async Task What_became_known_after_the_cut_off_changes_nothing()
    {
        var before = await TrainAsync<TripTraining>();
        var known = _trips.Select(t => t.LabelKnownAt >= CutOff ? t with { Label = 1 - t.Label } : t).Where(t => t.EventTime < CutOff.AddDays(1)).ToList();
        var after = await TrainAsync<TripTraining>(TripDefinitions.View(known));
        after.Model.ContentSha256.ShouldBe(before.Model.ContentSha256);
        after.Model.MetricsJson.ShouldBe(before.Model.MetricsJson);
    }

    [Fact]
    public async Task A_version_carries_metrics_baselines_importance_parameters_and_signature()
    {
        var model = (await TrainAsync<TripTraining>()).Model;
        var metrics = Parse(model.MetricsJson);
        metrics.GetProperty("auc").GetDouble().ShouldBe(model.PrimaryValue);
        model.PrimaryValue.ShouldBeGreaterThan(0.55);
        metrics.GetProperty("roc").GetArrayLength().ShouldBe(61);
        metrics.GetProperty("calibration").EnumerateArray().Sum(b => b.GetProperty("count").GetInt64()).ShouldBe(model.HoldoutRows);

        var baselines = Parse(model.BaselineMetricsJson);
        baselines.GetProperty("prior").GetProperty("auc").GetDouble().ShouldBe(0.5);
        var labelled = _trips.Where(t => t.HasLabel && t.LabelKnownAt < CutOff && t.EventTime >= CutOff - TripTraining.Holdout && t.EventTime <= CutOff - Trips.Within).ToArray();
        var hour = new BinaryEvaluation();
        foreach (var t in labelled)
            hour.Add(t.Features.Hour / 24, t.Features.Hour / 24, t.Label > 0.5);
        baselines.GetProperty("hour").GetProperty("auc").GetDouble().ShouldBe(hour.Finish().Metrics.Auc, 1e-12);
        model.BaselineValue.ShouldBe(baselines.GetProperty("hour").GetProperty("auc").GetDouble());

        var importance = Parse(model.FeatureImportanceJson!).EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetDouble());
        importance.Values.Sum().ShouldBe(1, 1e-4);
        importance.Keys.ShouldBeSubsetOf(["Hour", "Distance", "Gap", "Holiday", "Origin", "Weather", "Load"]);
        importance.First().Key.ShouldBe(importance.MaxBy(i => i.Value).Key);

        var parameters = Parse(model.ParametersJson);
        parameters.GetProperty("trainer").GetString().ShouldBe("LightGbmBinaryTrainer");
        parameters.GetProperty("threads").GetInt32().ShouldBe(1);
        parameters.GetProperty("options").GetProperty("NumberOfIterations").GetInt32().ShouldBe(30);
        model.Trainer.ShouldBe("LightGbmBinaryTrainer");

        var signature = ModelSignature.FromJson(model.SignatureJson);
        signature.Inputs.Select(i => $"{i.Name}:{i.Type}:{i.Nullable}").ShouldContain("Distance:single:False");
        signature.Label!.Type.ShouldBe("boolean");
        model.Task.ShouldBe("binary");
    }

    [Fact]
    public async Task FastTree_too_is_reproducible_and_explains_itself_by_gain()
    {
        var first = await TrainAsync<FastTreeTripTraining>();
        (await TrainAsync<FastTreeTripTraining>()).Model.ContentSha256.ShouldBe(first.Model.ContentSha256);
        first.Model.FeatureImportanceJson.ShouldNotBeNull();
        Parse(first.Model.ParametersJson).GetProperty("options").GetProperty("NumberOfTrees").GetInt32().ShouldBe(20);
    }

    [Fact]
    public async Task A_refit_learns_from_the_holdout_too_but_keeps_its_metrics()
    {
        var plain = await TrainAsync<TripTraining>();
        var refit = await TrainAsync<RefitTripTraining>();
        refit.Model.MetricsJson.ShouldBe(plain.Model.MetricsJson);
        refit.Model.ContentSha256.ShouldNotBe(plain.Model.ContentSha256);
        refit.Model.Refit.ShouldBeTrue();
    }

    [Fact]
    public async Task Numbers_and_classes_are_trained_the_same_way()
    {
        var numbers = _trips.Select(t => t with { Label = t.Features.Hour * 2 + (t.Features.Gap ?? 0) }).ToList();
        var number = (await TrainAsync<NumberTripTraining>(TripDefinitions.View(numbers, typeof(float)))).Model;
        number.Task.ShouldBe("regression");
        number.PrimaryMetric.ShouldBe("rmse");
        number.PrimaryValue.ShouldBeLessThan(number.BaselineValue);
        number.Promotion.ShouldStartWith("Promoted:");

        var classes = _trips.Select(t => t with { Label = double.NaN, LabelText = t.Features.Hour < 8 ? "night" : t.Features.Hour < 16 ? "day" : "evening" }).ToList();
        var result = await TrainAsync<ClassTripTraining>(TripDefinitions.View(classes, typeof(string)));
        result.Model.Task.ShouldBe("multiclass");
        result.Model.PrimaryValue.ShouldBeGreaterThan(0.95);
        result.Model.BaselineValue.ShouldBeInRange(0.3, 0.4);
        using var scorer = new ModelScorer<TripExample>(ModelArchive.Load(result.Model.Artifact!, "trip-weather"), ExampleSchema<TripExample>.TryCreate(typeof(string), [])!, ModelTask.Multiclass, "trip-weather");
        foreach (var trip in classes.TakeLast(100))
            scorer.Score(trip.Features).Label.ShouldBe(trip.LabelText);
    }

    [Fact]
    public async Task What_cannot_be_repeated_says_why()
    {
        var unseeded = (await TrainAsync<UnseededTripTraining>()).Model;
        unseeded.Reproducible.ShouldBeFalse();
        unseeded.Reason!.ShouldContain("WithSeed(null)");
        unseeded.Seed.ShouldBeNull();

        var sdca = (await TrainAsync<SdcaTripTraining>()).Model;
        sdca.Reproducible.ShouldBeFalse();
        sdca.Reason!.ShouldContain("NumberOfThreads = 1");
        sdca.FeatureImportanceJson.ShouldBeNull();
    }

    [Fact]
    public async Task Too_few_rows_or_a_single_class_fail_with_the_counts_and_leave_nothing()
    {
        var early = await Should.ThrowAsync<StageFailedException>(() => TrainAsync<TripTraining>(cutOff: Trips.Start.AddDays(2)));
        early.Message.ShouldContain("training [");
        early.Message.ShouldContain("has 0 rows");

        var allLate = _trips.Select(t => t with { Label = 1 }).ToList();
        var oneClass = await Should.ThrowAsync<StageFailedException>(() => TrainAsync<TripTraining>(TripDefinitions.View(allLate)));
        oneClass.Message.ShouldContain("true)");
        oneClass.Message.ShouldContain("more than one class");

        (await Should.ThrowAsync<StageFailedException>(() => TrainAsync<TripTraining>(TripDefinitions.View([])))).Message.ShouldContain("0 rows");
        Directory.GetFiles(_stage.Folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_estimator_that_does_not_fit_the_example_is_explained()
    {
        var error = await Should.ThrowAsync<StageFailedException>(() => TrainAsync<BrokenTripTraining>());
        error.Message.ShouldContain("BrokenTripTraining: ML.NET refused to train");
        error.Message.ShouldContain("Distance: single");
    }

    [Fact]
    public async Task The_first_version_becomes_champion_and_a_later_one_must_beat_it_on_rows_it_has_not_seen()
    {
        var first = await TrainAsync<TripTraining>(cutOff: CutOff.AddDays(-11));
        first.Alias.ShouldNotBeNull().By.ShouldBe("training pipeline");
        _stage.Registry.Publish(first);

        var same = await TrainAsync<TripTraining>(cutOff: CutOff.AddDays(-11));
        same.Alias.ShouldBeNull();
        same.Model.Promotion.ShouldContain("only 0 holdout rows lie after its own cut-off");

        var later = await TrainAsync<TripTraining>();
        later.Model.ChampionMetricsJson.ShouldNotBeNull();
        var rows = _trips.Count(t => t.HasLabel && t.LabelKnownAt < CutOff && t.EventTime >= CutOff.AddDays(-11) && t.EventTime <= CutOff - Trips.Within);
        Parse(later.Model.ChampionMetricsJson!).GetProperty("rows").GetInt64().ShouldBe(rows);
        (later.Alias is not null).ShouldBe(later.Model.Promotion.StartsWith("Promoted:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_champion_of_another_definition_of_the_view_does_not_block()
    {
        _stage.Registry.Publish(await TrainAsync<TripTraining>());
        var changed = await TrainAsync<TripTraining>(TripDefinitions.View(_trips, fingerprint: "f2"));
        changed.Alias.ShouldNotBeNull();
        changed.Model.Promotion.ShouldContain("another definition of the view");
    }

    [Fact]
    public async Task A_version_is_reproduced_from_what_was_recorded()
    {
        var view = TripDefinitions.View(_trips);
        var definition = TripDefinitions.Training<TripTraining>(view, _stage);
        var made = await definition.ExecuteAsync(_stage.Context(CutOff, CutOff.AddDays(1)), _stage.Stores, default);

        var again = await definition.ReproduceAsync(made.Model, made.Dataset, _stage.Stores, _stage.Services, default);
        again.DatasetIdentical.ShouldBeTrue();
        again.ModelIdentical.ShouldBeTrue();
        again.Explanation.ShouldStartWith("Identical to the bit");

        var corrected = _trips.ToList();
        var row = corrected.FindIndex(t => t.HasLabel && t.EventTime > CutOff - TripTraining.History);
        corrected[row] = corrected[row] with { Label = 1 - corrected[row].Label };
        view.Examples = corrected;
        var different = await definition.ReproduceAsync(made.Model, made.Dataset, _stage.Stores, _stage.Services, default);
        different.DatasetIdentical.ShouldBeFalse();
        different.ModelIdentical.ShouldBeFalse();
        different.Explanation.ShouldContain("another content");

        view.Examples = _trips;
        var reparameterised = TripDefinitions.Training<FastTreeTripTraining>(view, _stage);
        (await reparameterised.ReproduceAsync(made.Model, made.Dataset, _stage.Stores, _stage.Services, default)).Explanation
            .ShouldContain("The trainer was LightGbmBinaryTrainer and is now FastTreeBinaryTrainer.");
        Directory.GetFiles(_stage.Folder).Length.ShouldBe(1, "reproducing leaves no files");
    }

    [Fact]
    public async Task Training_stops_when_it_is_cancelled()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var definition = TripDefinitions.Training<TripTraining>(TripDefinitions.View(_trips), _stage);
        await Should.ThrowAsync<OperationCanceledException>(() => definition.ExecuteAsync(_stage.Context(CutOff, CutOff.AddDays(1)), _stage.Stores, stop.Token));
        Directory.GetFiles(_stage.Folder).ShouldBeEmpty();
    }

    private Task<TrainingResult> TrainAsync<TPipeline>(ListView<TripExample>? view = null, DateTime? cutOff = null) =>
        TripDefinitions.Training<TPipeline>(view ?? TripDefinitions.View(_trips), _stage)
            .ExecuteAsync(_stage.Context(cutOff ?? CutOff, (cutOff ?? CutOff).AddDays(1)), _stage.Stores, default);

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;
}
