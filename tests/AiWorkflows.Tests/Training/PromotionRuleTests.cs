using AiWorkflows.Models;
using AiWorkflows.Training;

namespace AiWorkflows.Tests.Training;

public sealed class PromotionRuleTests
{
    private static readonly DateTime CutOff = new(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Theory]
    // candidate, baseline, champion (NaN: none), candidate and champion on the rows after the champion's cut-off, those rows, promoted, part of the sentence
    [InlineData(0.77, 0.71, double.NaN, 0, 0, true, "there was no champion")]
    [InlineData(0.70, 0.71, double.NaN, 0, 0, false, "baseline 'route'")]
    [InlineData(0.71, 0.71, double.NaN, 0, 0, false, "baseline 'route'")]
    [InlineData(0.77, 0.71, 0.76, 0.77, 5_000, true, "of the champion, version 3, on 5,000 rows")]
    [InlineData(0.77, 0.71, 0.78, 0.77, 5_000, false, "of the champion, version 3")]
    [InlineData(0.77, 0.71, 0.77, 0.77, 5_000, false, "does not satisfy")]
    [InlineData(0.77, 0.71, 0.10, 0.90, 999, false, "only 999 holdout rows lie after its own cut-off 2024-01-01")]
    [InlineData(0.77, 0.71, 0.10, 0.90, 1_000, true, "1,000 rows")]
    [InlineData(0.70, 0.71, 0.10, 0.90, 5_000, false, "baseline 'route'")]
    public void A_candidate_must_beat_the_baseline_and_the_champion_on_enough_rows(
        double candidate, double baseline, double champion, double candidateThere, long rows, bool promoted, string says)
    {
        var comparison = double.IsNaN(champion) ? null : new ChampionComparison(3, CutOff, rows, Auc(champion), Auc(candidateThere), null);
        var decision = PromotionRule.Decide(ModelTask.Binary, Auc(candidate), new("route", Auc(baseline)), comparison, null);
        decision.Promoted.ShouldBe(promoted, decision.Sentence);
        decision.Sentence.ShouldContain(says);
        decision.Sentence.ShouldStartWith(promoted ? "Promoted:" : "Not promoted:");
    }

    [Fact]
    public void A_champion_that_cannot_score_the_view_any_more_does_not_block()
    {
        var decision = PromotionRule.Decide(ModelTask.Binary, Auc(0.8), new("prior", Auc(0.5)), new(3, CutOff, 0, null, null, "it was trained on another view"), null);
        decision.Promoted.ShouldBeTrue();
        decision.Sentence.ShouldContain("could not be compared because it was trained on another view");
    }

    [Fact]
    public void The_pipelines_own_rule_is_asked_with_baseline_and_with_champion()
    {
        var asked = new List<double>();
        PromotionRule.Decide(ModelTask.Binary, Auc(0.8), new("prior", Auc(0.5)), new(3, CutOff, 2_000, Auc(0.7), Auc(0.75), null), (c, r) =>
        {
            asked.AddRange([c.Auc, r.Auc]);
            return true;
        }).Promoted.ShouldBeTrue();
        asked.ShouldBe([0.8, 0.5, 0.75, 0.7]);
    }

    [Fact]
    public void For_numbers_the_smaller_error_is_better()
    {
        Decide(4, 5).ShouldBeTrue();
        Decide(5, 4).ShouldBeFalse();

        static bool Decide(double candidate, double baseline) => PromotionRule.Decide(ModelTask.Regression, Rmse(candidate), new("prior", Rmse(baseline)), null, null).Promoted;
        static Evaluation Rmse(double value) => new(new ModelMetrics { Rows = 1, RootMeanSquaredError = value });
    }

    [Fact]
    public void The_strongest_baseline_is_the_reference()
    {
        PromotionRule.Best(ModelTask.Binary, [new("prior", Auc(0.5)), new("a", Auc(0.7)), new("b", Auc(0.6)), new("broken", Auc(double.NaN))]).Name.ShouldBe("a");
        PromotionRule.Best(ModelTask.Binary, [new("prior", Auc(0.5)), new("worse", Auc(0.4))]).Name.ShouldBe("prior");
    }

    private static Evaluation Auc(double auc) => new(new ModelMetrics { Rows = 1, Auc = auc });
}
