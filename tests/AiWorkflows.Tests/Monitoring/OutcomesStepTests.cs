using AiWorkflows.Monitoring;
using AiWorkflows.Tests.Inference;
using AiWorkflows.Training;

namespace AiWorkflows.Tests.Monitoring;

public sealed class OutcomesStepTests : IAsyncLifetime
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
    public async Task Outcomes_are_filled_in_once_and_the_metrics_are_those_of_the_day()
    {
        await _trained.ScoreAsync(CutOff, CutOff.AddDays(2));
        var result = await StepAsync(CutOff, CutOff.AddDays(2));
        var day = _trained.Trips.Where(t => t.EventTime >= CutOff && t.EventTime < CutOff.AddDays(1)).ToArray();

        result.Changed.ShouldBe(_trained.Trips.Count(t => t.HasLabel && t.EventTime >= CutOff && t.EventTime < CutOff.AddDays(2)));
        result.Days.ShouldBe(2);
        var reference = new BinaryEvaluation();
        foreach (var (trip, row) in day.Zip(_trained.Log.Batches[0].Rows))
            if (trip.HasLabel)
                reference.Add(row.Score!.Value, row.Probability!.Value, trip.Label > 0.5);
        var expected = reference.Finish().Metrics;
        Metric("auc").ShouldBe(expected.Auc);
        Metric("log_loss").ShouldBe(expected.LogLoss);
        Metric("brier").ShouldBe(expected.Brier);
        Metric("positive_rate").ShouldBe(expected.PositiveRate);
        Metric("coverage").ShouldBe(day.Count(t => t.HasLabel) / (double)day.Length);
        var auc = _trained.Log.Metrics[("trip-delay", 1, CutOff, "auc")];
        (auc.Predictions, auc.Outcomes).ShouldBe((day.Length, day.Count(t => t.HasLabel)));

        double? Metric(string name) => _trained.Log.Metrics[("trip-delay", 1, CutOff, name)].Value;
    }

    [Fact]
    public async Task Repeating_it_changes_nothing()
    {
        await _trained.ScoreAsync(CutOff, CutOff.AddDays(1));
        await StepAsync(CutOff, CutOff.AddDays(1));
        var metrics = _trained.Log.Metrics.ToDictionary();

        (await StepAsync(CutOff, CutOff.AddDays(1))).Changed.ShouldBe(0);
        _trained.Log.Metrics.ShouldBe(metrics, ignoreOrder: true);
    }

    [Fact]
    public async Task Later_runs_fill_in_what_an_earlier_one_had_to_wait_for()
    {
        var all = _trained.Trips;
        await _trained.ScoreAsync(CutOff, CutOff.AddDays(1));
        _trained.View.Examples = [.. all.Select(t => t with { HasLabel = t.HasLabel && t.LabelKnownAt < CutOff.AddHours(12) })];
        await StepAsync(CutOff, CutOff.AddDays(1));
        var early = _trained.Log.Metrics[("trip-delay", 1, CutOff, "coverage")].Value!.Value;
        early.ShouldBeInRange(0.2, 0.6);

        _trained.View.Examples = all;
        await _trained.ScoreAsync(CutOff.AddDays(1), CutOff.AddDays(2));
        await StepAsync(CutOff.AddDays(1), CutOff.AddDays(2));
        _trained.Log.Metrics[("trip-delay", 1, CutOff, "coverage")].Value!.Value.ShouldBeGreaterThan(0.9);
        _trained.Log.Metrics.ContainsKey(("trip-delay", 1, CutOff.AddDays(1), "auc")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_new_version_over_the_same_window_gets_metrics_although_its_outcomes_were_known_before()
    {
        await _trained.ScoreAsync(CutOff, CutOff.AddDays(1));
        await StepAsync(CutOff, CutOff.AddDays(1));
        // The one in fifty trips whose outcome is never known would keep the step waiting.
        _trained.View.Examples = [.. _trained.Trips.Where(t => t.HasLabel)];
        var version = await _trained.TrainAsync();
        await _trained.ScoreAsync(CutOff, CutOff.AddDays(1), version: version);
        (await StepAsync(CutOff, CutOff.AddDays(1))).Changed.ShouldBe(0);
        _trained.Log.Metrics.ContainsKey(("trip-delay", version, CutOff, "auc")).ShouldBeTrue();
    }

    [Fact]
    public async Task Predictions_in_hindsight_are_not_measured()
    {
        await _trained.ScoreAsync(CutOff.AddDays(-1), CutOff, hindsight: true);
        (await StepAsync(CutOff.AddDays(-1), CutOff)).ShouldBe(new OutcomesResult(0, 0));
        _trained.Log.Metrics.ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_predictions_there_is_nothing_to_do() =>
        (await StepAsync(CutOff, CutOff.AddDays(1))).ShouldBe(new OutcomesResult(0, 0));

    private Task<OutcomesResult> StepAsync(DateTime from, DateTime to) =>
        OutcomesStep.ExecuteAsync(_trained.Stage.Context(from, to), _trained.Scoring(), _trained.Stores, default);
}
