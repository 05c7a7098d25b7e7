using System.Text.Json;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Tests.Training;

namespace AiWorkflows.Tests.Inference;

public sealed class BatchInferenceTests : IAsyncLifetime
{
    private static readonly DateTime CutOff = TrainedTrips.CutOff;
    private TrainedTrips _trained = null!;

    public async ValueTask InitializeAsync() => _trained = await TrainedTrips.CreateAsync();

    public ValueTask DisposeAsync()
    {
        _trained.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Every_spine_row_of_the_window_gets_the_models_score_labelled_or_not_in_order()
    {
        var seal = await _trained.ScoreAsync(CutOff, CutOff.AddDays(1));
        var expected = _trained.Trips.Where(t => t.EventTime >= CutOff && t.EventTime < CutOff.AddDays(1)).ToArray();
        var (request, rows) = _trained.Log.Batches.Single();

        seal.Rows.ShouldBe(expected.Length);
        rows.Select(r => (r.EntityKey, r.EventTime)).ShouldBe(expected.Select(e => (e.EntityKey!, e.EventTime)));
        request.Version.ShouldBe(1);
        request.Window.ShouldBe(new Window(CutOff, CutOff.AddDays(1)));
        request.Hindsight.ShouldBeFalse();
        request.AsOfSeq.ShouldBe(42);
        var version = await _trained.Stage.Registry.FindVersionAsync("trip-delay", 1, default);
        using var scorer = new ModelScorer<TripExample>(ModelArchive.Load(version!.Artifact!, ""), ExampleSchema<TripExample>.TryCreate(typeof(bool), [])!, ModelTask.Binary, "");
        for (var i = 0; i < rows.Count; i++)
        {
            var score = scorer.Score(expected[i].Features);
            rows[i].Score.ShouldBe(score.Value);
            rows[i].Probability.ShouldBe(score.Probability);
        }
        seal.PositiveShare.ShouldBe(rows.Count(r => r.Probability > 0.5) / (double)rows.Count);
        JsonDocument.Parse(seal.ScoreBinsJson).RootElement.GetProperty("counts").EnumerateArray().Sum(c => c.GetInt64()).ShouldBe(seal.Rows);
        rows.Select(r => r.FeatureHash).Distinct().Count().ShouldBeGreaterThan(rows.Count - 2);
    }

    [Fact]
    public async Task The_prediction_is_logged_as_JSON_in_snake_case_with_names_of_enums_and_null_for_NaN()
    {
        await _trained.ScoreAsync(CutOff, CutOff.AddDays(1));
        var (index, row) = _trained.Log.Batches[0].Rows.Index().First(r => r.Item.Output.Contains("null", StringComparison.Ordinal));
        var output = JsonDocument.Parse(row.Output).RootElement;
        output.EnumerateObject().Select(p => p.Name).ShouldBe(["probability", "what_to_do", "minutes_spare"]);
        output.GetProperty("what_to_do").GetString().ShouldBe(row.Probability > 0.5 ? "Hurry" : "Relax");
        output.GetProperty("probability").GetSingle().ShouldBe((float)row.Probability!);
        output.GetProperty("minutes_spare").ValueKind.ShouldBe(JsonValueKind.Null);
        _trained.Trips[_trained.Trips.FindIndex(t => t.EventTime == CutOff) + index].Features.Gap.ShouldBeNull();
    }

    [Fact]
    public async Task The_same_window_and_version_again_has_the_same_content_and_another_input_another()
    {
        var first = await _trained.ScoreAsync(CutOff, CutOff.AddDays(1));
        (await _trained.ScoreAsync(CutOff, CutOff.AddDays(1))).ContentHash.ShouldBe(first.ContentHash);

        var changed = _trained.Trips.ToList();
        var row = changed.FindIndex(t => t.EventTime > CutOff);
        changed[row] = changed[row] with { Features = changed[row].Features with { Hour = 23, Gap = 0.999f } };
        _trained.View.Examples = changed;
        (await _trained.ScoreAsync(CutOff, CutOff.AddDays(1))).ContentHash.ShouldNotBe(first.ContentHash);
    }

    [Fact]
    public async Task Nothing_from_before_the_models_cut_off_is_scored()
    {
        var seal = await _trained.ScoreAsync(CutOff.AddDays(-2), CutOff.AddHours(2));
        seal.Request.Window.ShouldBe(new Window(CutOff, CutOff.AddHours(2)));
        _trained.Log.Batches[0].Rows.Min(r => r.EventTime).ShouldBe(CutOff);
        seal.Rows.ShouldBe(12);

        var before = await _trained.ScoreAsync(CutOff.AddDays(-2), CutOff.AddDays(-1));
        before.Rows.ShouldBe(0);
        before.Request.Window.IsEmpty.ShouldBeTrue("an empty window supersedes nothing");
    }

    [Fact]
    public async Task Hindsight_scores_it_and_is_flagged_only_where_there_is_such_a_row()
    {
        var old = await _trained.ScoreAsync(CutOff.AddDays(-2), CutOff.AddHours(2), hindsight: true);
        old.Request.Hindsight.ShouldBeTrue();
        old.Rows.ShouldBe(2 * 144 + 12);

        (await _trained.ScoreAsync(CutOff, CutOff.AddDays(1), hindsight: true)).Request.Hindsight.ShouldBeFalse();
        _trained.View.Examples = [.. _trained.Trips.Where(t => t.EventTime >= CutOff)];
        (await _trained.ScoreAsync(CutOff.AddDays(-2), CutOff.AddHours(2), hindsight: true)).Request.Hindsight.ShouldBeFalse();
    }

    [Fact]
    public async Task A_model_that_does_not_fit_the_view_is_refused_in_words()
    {
        (await Refused(new ListView<TripExample>(_trained.Trips, typeof(bool), Trips.Within, "f2"))).ShouldContain("defined differently from when trip-delay v1 was trained");
        (await Should.ThrowAsync<StageFailedException>(() => _trained.ScoreAsync(CutOff, CutOff.AddDays(1), version: 7))).Message.ShouldContain("has no version 7");
        _trained.Log.Batches.ShouldBeEmpty();

        async Task<string> Refused(ListView<TripExample> view) => (await Should.ThrowAsync<StageFailedException>(() => _trained.ScoreAsync(CutOff, CutOff.AddDays(1), view: view))).Message;
    }

    [Fact]
    public void A_signature_names_what_the_view_no_longer_gives()
    {
        var signature = ModelSignature.FromJson(ModelSignature.Of(ExampleSchema<TripExample>.TryCreate(typeof(bool), [])!, ModelTask.Binary).ToJson());
        signature.Mismatch(ExampleSchema<TripExample>.TryCreate(typeof(bool), [])!).ShouldBeNull();
        signature.Mismatch(ExampleSchema<Shrunk>.TryCreate(typeof(bool), [])!).ShouldBe("it wants Distance (single), which the view no longer gives");
        signature.Mismatch(ExampleSchema<Retyped>.TryCreate(typeof(bool), [])!).ShouldBe("it wants Hour as single, but the view gives text");
    }

    [Fact]
    public async Task A_failing_Decide_stops_the_reading_too()
    {
        var errors = new List<string>();
        var broken = InferenceDefinitions.TryCreate(typeof(BrokenScoring), [_trained.View], _trained.Stage.Services, errors)!;
        (await Should.ThrowAsync<DivideByZeroException>(() => broken.ExecuteAsync(_trained.Stage.Context(CutOff, CutOff.AddDays(1)), 1, _trained.Stores, default))).ShouldNotBeNull();
    }

    private sealed record Shrunk(float Hour);

    private sealed record Retyped(string Hour, int Distance);

    private sealed class BrokenScoring : TripScoring
    {
        public override TripPrediction Decide(TripExample example, Score score) => throw new DivideByZeroException();
    }
}
