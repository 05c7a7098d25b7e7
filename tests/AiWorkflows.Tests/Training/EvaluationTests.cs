using AiWorkflows.Models;
using AiWorkflows.Training;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Tests.Training;

public sealed class EvaluationTests
{
    private sealed class Row
    {
        public bool Label { get; set; }
        public float Score { get; set; }
        public float Probability { get; set; }
        public bool PredictedLabel { get; set; }
    }

    private sealed class NumberRow
    {
        public float Label { get; set; }
        public float Score { get; set; }
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(50, 3)]
    [InlineData(400, 100_000)]
    [InlineData(400, 5)]
    public void The_area_under_the_curve_counts_every_pair_and_ties_half(int rows, int distinctScores)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var data = Random(rows, distinctScores, seed);
            var (positive, negative) = (data.Where(d => d.Label).ToArray(), data.Where(d => !d.Label).ToArray());
            if (positive.Length == 0 || negative.Length == 0)
                continue;
            var pairs = positive.Sum(p => negative.Sum(n => p.Score > n.Score ? 1.0 : p.Score == n.Score ? 0.5 : 0));
            Evaluate(data).Metrics.Auc.ShouldBe(pairs / ((double)positive.Length * negative.Length), 1e-12);
        }
    }

    [Theory]
    [InlineData(100_000)]
    [InlineData(7)]
    public void The_ROC_curve_is_the_upper_left_walk_at_61_false_positive_rates(int distinctScores)
    {
        var data = Random(500, distinctScores, 11);
        var roc = Evaluate(data).Roc.ShouldNotBeNull();
        var (positives, negatives) = (data.Count(d => d.Label), data.Count(d => !d.Label));
        (double F, double T)[] corners = [(0, 0), .. data.Select(d => d.Score).Distinct().OrderDescending().Select(s =>
            (data.Count(d => !d.Label && d.Score >= s) / (double)negatives, data.Count(d => d.Label && d.Score >= s) / (double)positives))];

        roc.Length.ShouldBe(61);
        roc.ShouldBe(roc.Order());
        roc[^1].ShouldBe(1);
        for (var i = 0; i < roc.Length; i++)
        {
            var rate = i / 60.0;
            // Between the lowest and the highest hit rate that the curve has at this false positive rate.
            var after = corners.First(c => c.F >= rate - 1e-12);
            var before = corners.Last(c => c.F <= rate + 1e-12);
            roc[i].ShouldBeInRange(Math.Min(before.T, after.T) - 1e-9, Math.Max(before.T, after.T) + 1e-9);
            if (before.F < rate - 1e-9 && after.F > rate + 1e-9)
                roc[i].ShouldBe(before.T + (after.T - before.T) * (rate - before.F) / (after.F - before.F), 1e-9);
        }
    }

    [Fact]
    public void Binary_metrics_agree_with_those_of_ML_NET()
    {
        var ml = new MLContext(1);
        var data = Random(5_000, 100_000, 5);
        var reference = ml.BinaryClassification.Evaluate(ml.Data.LoadFromEnumerable(data.Select(d => new Row
        {
            Label = d.Label,
            Score = (float)d.Score - 0.5f,
            Probability = (float)d.Probability,
            PredictedLabel = d.Probability > 0.5,
        })));
        var evaluation = Evaluate(data);

        evaluation.Metrics.Auc.ShouldBe(reference.AreaUnderRocCurve, 1e-6);
        evaluation.Metrics.Accuracy.ShouldBe(reference.Accuracy, 1e-9);
        evaluation.Metrics.LogLoss.ShouldBe(reference.LogLoss * Math.Log(2), 1e-5, "ML.NET counts in bits");
        evaluation.Metrics.AveragePrecision.ShouldBe(reference.AreaUnderPrecisionRecallCurve, 2e-3, "ML.NET interpolates");
        evaluation.Metrics.Brier.ShouldBe(data.Average(d => Math.Pow(d.Probability - (d.Label ? 1 : 0), 2)), 1e-9);
        evaluation.Metrics.PositiveRate.ShouldBe(data.Average(d => d.Label ? 1.0 : 0));
    }

    [Fact]
    public void Calibration_bins_hold_every_row_once()
    {
        var data = Random(3_000, 100_000, 6);
        var bins = Evaluate(data).Calibration.ShouldNotBeNull();

        bins.Length.ShouldBe(10);
        for (var i = 0; i < 10; i++)
        {
            var inside = data.Where(d => Math.Min(9, (int)(d.Probability * 10)) == i).ToArray();
            bins[i].Count.ShouldBe(inside.Length);
            if (inside.Length == 0)
                continue;
            bins[i].Predicted.ShouldBe(inside.Average(d => d.Probability), 1e-9);
            bins[i].Observed.ShouldBe(inside.Average(d => d.Label ? 1.0 : 0), 1e-9);
        }
    }

    [Fact]
    public void Scores_that_are_no_probabilities_have_ranks_but_no_log_loss()
    {
        var evaluation = new BinaryEvaluation();
        evaluation.Add(12, 12, true);
        evaluation.Add(-3, -3, false);
        var metrics = evaluation.Finish();
        metrics.Metrics.Auc.ShouldBe(1);
        metrics.Metrics.LogLoss.ShouldBe(double.NaN);
        metrics.Calibration.ShouldBeNull();
        metrics.ToJson().ShouldNotContain("NaN");
    }

    [Fact]
    public void One_class_alone_has_no_curve()
    {
        var evaluation = new BinaryEvaluation();
        evaluation.Add(0.4, 0.4, true);
        var finished = evaluation.Finish();
        finished.Metrics.Auc.ShouldBe(double.NaN);
        finished.Roc.ShouldBeNull();
        finished.Metrics.LogLoss.ShouldBe(-Math.Log(0.4), 1e-12);
    }

    [Fact]
    public void Regression_metrics_agree_with_those_of_ML_NET()
    {
        var ml = new MLContext(1);
        var random = new Random(3);
        var rows = Enumerable.Range(0, 2_000).Select(_ => (float)(random.NextDouble() * 100)).Select(y => new NumberRow { Label = y, Score = y + (float)random.NextDouble() * 20 - 8 }).ToArray();
        var reference = ml.Regression.Evaluate(ml.Data.LoadFromEnumerable(rows));
        var evaluation = new RegressionEvaluation();
        foreach (var row in rows)
            evaluation.Add(row.Score, row.Label);
        var metrics = evaluation.Finish().Metrics;

        metrics.MeanAbsoluteError.ShouldBe(reference.MeanAbsoluteError, 1e-6);
        metrics.RootMeanSquaredError.ShouldBe(reference.RootMeanSquaredError, 1e-6);
        metrics.RSquared.ShouldBe(reference.RSquared, 1e-6);
    }

    private static (double Score, double Probability, bool Label)[] Random(int rows, int distinctScores, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows).Select(_ => (float)random.Next(distinctScores) / distinctScores).Select(s => ((double)s, (double)s, random.NextDouble() < 0.2 + 0.5 * s))];
    }

    private static Evaluation Evaluate((double Score, double Probability, bool Label)[] rows)
    {
        var evaluation = new BinaryEvaluation();
        foreach (var (score, probability, label) in rows)
            evaluation.Add(score, probability, label);
        return evaluation.Finish();
    }
}
