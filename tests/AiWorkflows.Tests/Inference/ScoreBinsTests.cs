using System.Text.Json;
using AiWorkflows.Inference;

namespace AiWorkflows.Tests.Inference;

public sealed class ScoreBinsTests
{
    [Fact]
    public void Probabilities_fall_into_twentieths()
    {
        var bins = new ScoreBins(isProbability: true);
        foreach (var p in new[] { 0, 0.049, 0.05, 0.5, 0.999, 1, double.NaN })
            bins.Add(p);
        var json = JsonDocument.Parse(bins.ToJson()).RootElement;
        json.GetProperty("from").GetDouble().ShouldBe(0);
        json.GetProperty("to").GetDouble().ShouldBe(1);
        var counts = json.GetProperty("counts").EnumerateArray().Select(c => c.GetInt64()).ToArray();
        counts.Length.ShouldBe(20);
        (counts[0], counts[1], counts[10], counts[19], counts.Sum()).ShouldBe((2, 1, 1, 2, 6));
    }

    [Fact]
    public void Other_scores_are_counted_exactly_whatever_their_range()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var scale = Math.Pow(10, random.Next(-3, 5));
            var scores = Enumerable.Range(0, 500).Select(_ => (random.NextDouble() - random.NextDouble() * 0.3) * scale * (random.Next(50) == 0 ? 100 : 1)).ToArray();
            var bins = new ScoreBins(isProbability: false);
            foreach (var score in scores)
                bins.Add(score);
            var json = JsonDocument.Parse(bins.ToJson()).RootElement;
            var (from, to) = (json.GetProperty("from").GetDouble(), json.GetProperty("to").GetDouble());
            var counts = json.GetProperty("counts").EnumerateArray().Select(c => c.GetInt64()).ToArray();

            counts.Length.ShouldBe(20);
            var width = (to - from) / 20;
            for (var i = 0; i < 20; i++)
                counts[i].ShouldBe(scores.Count(s => s >= from + i * width && s < from + (i + 1) * width));
            counts.Sum().ShouldBe(scores.Length);
        }
    }
}
