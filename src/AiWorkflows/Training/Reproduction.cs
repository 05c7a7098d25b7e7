using System.Text.Json.Nodes;
using AiWorkflows.Features;
using AiWorkflows.Models;

namespace AiWorkflows.Training;

/// <summary>Says in words what came of retraining a version.</summary>
internal static class Reproduction
{
    public static string Explain(
        ModelVersionRecord version, DatasetRecord dataset, MaterializedDataset again, FeatureViewDefinition view, bool sameData, bool sameModel, string parametersJson)
    {
        if (sameData && sameModel)
            return $"Identical to the bit: {again.Rows} examples read again as of sequence {dataset.AsOfSeq}, retrained with {(version.Seed is { } seed ? $"seed {seed}" : "no seed")}.";
        var reasons = new List<string>();
        if (view.Fingerprint != version.ViewFingerprint)
            reasons.Add($"The view {view.Name} is defined differently from when the version was trained.");
        else if (!sameData)
            reasons.Add("The view is the same, so rows that the version read are gone, or code that it calls gives other values.");
        reasons.AddRange(Changes(version.ParametersJson, parametersJson));
        if (!version.Reproducible && version.Reason is { } reason)
            reasons.Add(reason);
        if (sameData && !sameModel && reasons.Count == 0)
            reasons.Add("Same examples, parameters and seed gave another model: the trainer is not deterministic here.");
        return (sameData, sameModel) switch
        {
            (false, true) => "The model is identical, but the dataset is not: ",
            (false, false) => $"Not identical: the dataset has {again.Rows} examples (recorded: {dataset.Rows}) and another content. ",
            _ => "The dataset is identical, the model is not: ",
        } + string.Join(" ", reasons);
    }

    private static IEnumerable<string> Changes(string recorded, string now)
    {
        var (old, current) = (JsonNode.Parse(recorded)!.AsObject(), JsonNode.Parse(now)!.AsObject());
        if (old["trainer"]?.ToString() != current["trainer"]?.ToString())
            yield return $"The trainer was {old["trainer"]} and is now {current["trainer"]}.";
        if (old["ml_net"]?.ToString() != current["ml_net"]?.ToString())
            yield return $"ML.NET was {old["ml_net"]} and is now {current["ml_net"]}.";
        if (old["threads"] is null && old["processors"]?.ToString() != current["processors"]?.ToString())
            yield return $"The trainer used all processors: {old["processors"]} then, {current["processors"]} here.";
        if (old["options"] is JsonObject before && current["options"] is JsonObject after)
            foreach (var name in before.Select(o => o.Key).Union(after.Select(o => o.Key)).Order(StringComparer.Ordinal))
                if (before[name]?.ToJsonString() != after[name]?.ToJsonString())
                    yield return $"{name} was {before[name]?.ToJsonString() ?? "not set"} and is now {after[name]?.ToJsonString() ?? "not set"}.";
    }
}
