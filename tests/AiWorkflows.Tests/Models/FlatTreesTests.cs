using AiWorkflows.Models;
using Microsoft.ML;
using Microsoft.ML.Trainers.LightGbm;

namespace AiWorkflows.Tests.Models;

/// <summary>Trees that are walked without ML.NET say what ML.NET says, to the bit, whatever the trainer; what is not made of trees alone is left to ML.NET.</summary>
public sealed class FlatTreesTests
{
    private const int Rows = 3000;

    public sealed record Wine(float Acid, float Sugar, float Salt, float Alcohol, string? Region);

    private sealed class Row
    {
        public float Acid { get; set; }

        public float Sugar { get; set; }

        public float Salt { get; set; }

        public float Alcohol { get; set; }

        public string? Region { get; set; }

        public bool Good { get; set; }

        public float Points { get; set; }
    }

    private static readonly string[] Numbers = ["Acid", "Sugar", "Salt", "Alcohol"];

    private static readonly MLContext Ml = new(seed: 1);

    [Theory]
    [InlineData("LightGbm", true)]
    [InlineData("LightGbm, missing as zero", true)]
    [InlineData("LightGbm, few leaves", true)]
    [InlineData("FastTree", true)]
    [InlineData("FastForest", true)]
    [InlineData("one-hot", false)]
    [InlineData("replaced", false)]
    [InlineData("linear", false)]
    public void A_binary_model_scores_as_ml_net_does_to_the_bit(string trainer, bool isFlat)
    {
        var concatenated = Ml.Transforms.Concatenate("Features", Numbers);
        var trainers = Ml.BinaryClassification.Trainers;
        IEstimator<ITransformer> pipeline = trainer switch
        {
            "LightGbm" => concatenated.Append(trainers.LightGbm("Good")),
            "LightGbm, missing as zero" => concatenated.Append(trainers.LightGbm(new LightGbmBinaryTrainer.Options { LabelColumnName = "Good", UseZeroAsMissingValue = true })),
            "LightGbm, few leaves" => concatenated.Append(trainers.LightGbm("Good", numberOfLeaves: 2, minimumExampleCountPerLeaf: 1200, numberOfIterations: 5)),
            "FastTree" => concatenated.Append(trainers.FastTree("Good")),
            "FastForest" => concatenated.Append(trainers.FastForest("Good")),
            "one-hot" => Ml.Transforms.Categorical.OneHotEncoding("Region").Append(Ml.Transforms.Concatenate("Features", [.. Numbers, "Region"])).Append(trainers.LightGbm("Good")),
            "replaced" => concatenated.Append(Ml.Transforms.ReplaceMissingValues("Features")).Append(trainers.FastTree("Good")),
            _ => concatenated.Append(Ml.Transforms.ReplaceMissingValues("Features")).Append(trainers.SdcaLogisticRegression("Good")),
        };
        Check(pipeline, ModelTask.Binary, typeof(bool), isFlat);
    }

    [Theory]
    [InlineData("LightGbm")]
    [InlineData("FastTree")]
    [InlineData("FastForest")]
    [InlineData("FastTreeTweedie")]
    public void A_regression_model_scores_as_ml_net_does_to_the_bit(string trainer)
    {
        var concatenated = Ml.Transforms.Concatenate("Features", Numbers);
        var trainers = Ml.Regression.Trainers;
        IEstimator<ITransformer> pipeline = trainer switch
        {
            "LightGbm" => concatenated.Append(trainers.LightGbm("Points")),
            "FastTree" => concatenated.Append(trainers.FastTree("Points")),
            "FastForest" => concatenated.Append(trainers.FastForest("Points")),
            _ => concatenated.Append(trainers.FastTreeTweedie("Points")),
        };
        // Of Tweedie and of a forest the score is more than the sum of the trees, which the comparison at loading finds out.
        Check(pipeline, ModelTask.Regression, typeof(float), isFlat: trainer is "LightGbm" or "FastTree");
    }

    private static void Check(IEstimator<ITransformer> pipeline, ModelTask task, Type label, bool isFlat)
    {
        var data = Ml.Data.LoadFromEnumerable(Make(1));
        using var saved = new MemoryStream();
        Ml.Model.Save(pipeline.Fit(data), data.Schema, saved);
        var model = Ml.Model.Load(new MemoryStream(saved.ToArray()), out _);
        using var scorer = new ModelScorer<Wine>(model, ExampleSchema<Wine>.TryCreate(label, [])!, task, "wine");
        scorer.IsFlat.ShouldBe(isFlat);
        var others = Make(2);
        var scored = model.Transform(Ml.Data.LoadFromEnumerable(others));
        var probability = scored.Schema.GetColumnOrNull("Probability");
        using var cursor = scored.GetRowCursor(scored.Schema.Where(c => c.Name is "Score" or "Probability"));
        var score = cursor.GetGetter<float>(scored.Schema["Score"]);
        var p = probability is { } column ? cursor.GetGetter<float>(column) : null;
        var distinct = new HashSet<float>();
        foreach (var row in others)
        {
            cursor.MoveNext().ShouldBeTrue();
            float expected = 0, expectedProbability = float.NaN;
            score(ref expected);
            p?.Invoke(ref expectedProbability);
            var mine = scorer.Score(new(row.Acid, row.Sugar, row.Salt, row.Alcohol, row.Region));
            (BitConverter.SingleToInt32Bits(mine.Value), BitConverter.SingleToInt32Bits(mine.Probability)).ShouldBe((BitConverter.SingleToInt32Bits(expected), BitConverter.SingleToInt32Bits(expectedProbability)));
            distinct.Add(expected);
        }
        distinct.Count.ShouldBeGreaterThan(1);
    }

    private static List<Row> Make(int seed)
    {
        var random = new Random(seed);
        float Value(int digits) => random.Next(10) == 0 ? float.NaN : random.Next(12) == 0 ? 0 : MathF.Round(random.NextSingle() * 2 - 1, digits);
        return [.. Enumerable.Range(0, Rows).Select(_ =>
        {
            var row = new Row { Acid = Value(1), Sugar = Value(3), Salt = Value(6), Alcohol = Value(2), Region = random.Next(4) is var r and > 0 ? $"r{r}" : null };
            var points = (float.IsNaN(row.Acid) ? 0.3f : row.Acid) + 2 * (float.IsNaN(row.Sugar) ? 0 : row.Sugar * row.Sugar) + random.NextSingle() * 0.3f + 1;
            (row.Points, row.Good) = (points, points > 1.7f);
            return row;
        })];
    }
}
