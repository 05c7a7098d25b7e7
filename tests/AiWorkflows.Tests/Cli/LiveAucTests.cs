using AiWorkflows.Hosting.Cli;
using AiWorkflows.Inference;

namespace AiWorkflows.Tests.Cli;

public sealed class LiveAucTests
{
    [Fact]
    public void It_is_the_share_of_pairs_in_the_right_order_with_ties_as_halves()
    {
        var random = new Random(3);
        for (var round = 0; round < 50; round++)
        {
            var rows = Enumerable.Range(0, 40).Select(_ => (Probability: random.Next(8) / 8.0, Actual: random.Next(2))).ToList();
            var auc = new LiveAuc();
            foreach (var (probability, actual) in rows)
                auc.Add(Row(probability, actual));
            var pairs = (from p in rows where p.Actual == 1 from n in rows where n.Actual == 0 select p.Probability > n.Probability ? 1 : p.Probability == n.Probability ? 0.5 : 0).ToList();
            auc.Auc!.Value.ShouldBe(pairs.Average(), 1e-12);
        }
    }

    [Fact]
    public void Without_outcomes_or_with_one_class_there_is_none()
    {
        var auc = new LiveAuc();
        auc.Add(Row(0.5, null));
        (auc.Auc, auc.Known).ShouldBe((null, 0));
        auc.Add(Row(0.5, 1));
        (auc.Auc, auc.Known).ShouldBe((null, 1));
    }

    private static ScoredRow Row(double probability, double? actual) => new("m", 1, new(2001, 6, 1, 0, 0, 0, DateTimeKind.Utc), probability, probability, null, actual, null);
}
