using AiWorkflows.Features;
using AiWorkflows.Models;
using Microsoft.ML;

namespace AiWorkflows.Training;

/// <summary>Lets the champion of the moment score the holdout rows that it cannot have learnt from.</summary>
internal static class ChampionComparer
{
    public const string Champion = "champion";

    /// <summary>Null where the model has no champion.</summary>
    /// <param name="champion">The alias that is compared with.</param>
    public static async Task<ChampionComparison?> CompareAsync(
        IModelRegistry registry, string model, string champion, FeatureViewDefinition view, DatasetView holdout, Func<DateTime, long> rowsBefore,
        Func<long, DatasetView> from, ITransformer candidate, ModelTask task, CancellationToken ct)
    {
        if (await registry.FindAliasAsync(model, champion, ct) is not { } alias || await registry.FindVersionAsync(model, alias.Version, ct) is not { } version)
            return null;
        if (version.ViewFingerprint != view.Fingerprint)
            return new(version.Version, version.CutOff, 0, null, null, $"it was trained on another definition of the view {version.View} and can no longer serve it");
        if (version.Task != task.Name())
            return new(version.Version, version.CutOff, 0, null, null, $"it is a {version.Task} model");
        var rows = from(Math.Max(holdout.From, rowsBefore(version.CutOff)));
        if (rows.Rows < PromotionRule.FewestRows)
            return new(version.Version, version.CutOff, rows.Rows, null, null, null);
        var name = $"{model} v{version.Version}";
        var loaded = ModelArchive.Load(await registry.ReadArtifactAsync(version.ArtifactSha256, ct), name);
        return new(version.Version, version.CutOff, rows.Rows,
            ModelEvaluator.Evaluate(loaded, rows, task, name), ModelEvaluator.Evaluate(candidate, rows, task, model), null);
    }
}
