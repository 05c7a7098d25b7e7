using System.Globalization;
using AiWorkflows.Models;

namespace AiWorkflows.Training;

/// <summary>A named reference on the same rows as the candidate.</summary>
internal sealed record NamedEvaluation(string Name, Evaluation Evaluation);

/// <summary>The champion and the candidate on the holdout rows after the champion's own cut-off.</summary>
/// <param name="Champion">Null where it could not be compared; <paramref name="Reason"/> says why.</param>
internal sealed record ChampionComparison(int Version, DateTime CutOff, long Rows, Evaluation? Champion, Evaluation? Candidate, string? Reason);

/// <summary>What was decided, as a sentence.</summary>
internal sealed record Promotion(bool Promoted, string Sentence);

/// <summary>Decides whether a candidate becomes champion: it must beat the best baseline, and the champion where that can be told fairly.</summary>
internal static class PromotionRule
{
    /// <summary>Fewer rows after the champion's own cut-off say nothing about which of two models is better.</summary>
    public const long FewestRows = 1_000;

    /// <param name="rule">The pipeline's own rule; null for "better by the primary metric".</param>
    /// <param name="champion">Null where there is none.</param>
    public static Promotion Decide(
        ModelTask task, Evaluation candidate, NamedEvaluation baseline, ChampionComparison? champion, Func<ModelMetrics, ModelMetrics, bool>? rule)
    {
        Func<ModelMetrics, ModelMetrics, bool> holds = rule ?? ((a, b) => task.IsBetter(a, b));
        if (!holds(candidate.Metrics, baseline.Evaluation.Metrics))
            return new(false, $"Not promoted: {Compare(task, candidate, baseline.Evaluation)} of the baseline '{baseline.Name}' does not satisfy the rule{Default(rule)}.");
        var overBaseline = $"{Compare(task, candidate, baseline.Evaluation)} of the baseline '{baseline.Name}'";
        if (champion is null)
            return new(true, $"Promoted: {overBaseline}; there was no champion.");
        if (champion.Reason is { } reason)
            return new(true, $"Promoted: {overBaseline}; the champion, version {champion.Version}, could not be compared because {reason}.");
        if (champion.Rows < FewestRows)
            return new(false, $"Not promoted: the champion, version {champion.Version}, stays; only {Count(champion.Rows)} holdout rows lie after its own cut-off {Timestamps.Display(champion.CutOff)}, and {Count(FewestRows)} are needed to compare.");
        var overChampion = $"{Compare(task, champion.Candidate!, champion.Champion!)} of the champion, version {champion.Version}, on {Count(champion.Rows)} rows after its cut-off";
        return holds(champion.Candidate!.Metrics, champion.Champion!.Metrics)
            ? new(true, $"Promoted: {overBaseline}, and {overChampion}.")
            : new(false, $"Not promoted: {overChampion} does not satisfy the rule{Default(rule)}.");
    }

    /// <summary>The strongest of the baselines by the task's primary metric; the first of equals.</summary>
    public static NamedEvaluation Best(ModelTask task, IReadOnlyList<NamedEvaluation> baselines)
    {
        var best = baselines[0];
        foreach (var baseline in baselines.Skip(1))
            if (task.IsBetter(baseline.Evaluation.Metrics, best.Evaluation.Metrics))
                best = baseline;
        return best;
    }

    private static string Compare(ModelTask task, Evaluation candidate, Evaluation reference) => string.Create(CultureInfo.InvariantCulture,
        $"{task.PrimaryMetric()} {task.Primary(candidate.Metrics):0.0000} against {task.Primary(reference.Metrics):0.0000}");

    private static string Default(Func<ModelMetrics, ModelMetrics, bool>? rule) => rule is null ? " (better is required)" : " of PromoteWhen";

    private static string Count(long rows) => rows.ToString("N0", CultureInfo.InvariantCulture);
}
