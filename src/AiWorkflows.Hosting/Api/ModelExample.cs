using System.Text.Json;
using System.Text.Json.Nodes;
using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Storage.Queries;
using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting.Api;

/// <summary>What a model takes and gives, with a request that works when it is pasted: about the entity of a prediction that is in the log.</summary>
internal sealed class ModelExample(PredictionQueries predictions)
{
    public async Task<IResult> OfAsync(InferenceDefinition pipeline, ModelVersionRecord? champion, CancellationToken ct)
    {
        var spine = pipeline.View.Spine;
        var newest = await predictions.ListAsync(pipeline.Model, null, 1, ct) is [var first, ..] ? first : null;
        var shown = new JsonObject
        {
            ["model"] = pipeline.Model,
            ["pipeline"] = pipeline.Name,
            ["feature_view"] = pipeline.View.Name,
            ["champion"] = champion is null ? null : new JsonObject
            {
                ["version"] = champion.Version,
                ["task"] = champion.Task,
                ["cut_off"] = Timestamps.Iso(champion.CutOff),
                [champion.PrimaryMetric] = double.IsFinite(champion.PrimaryValue) ? champion.PrimaryValue : null,
                ["signature"] = JsonNode.Parse(champion.SignatureJson),
            },
            ["instance"] = new JsonObject
            {
                ["group"] = spine.Name,
                ["keys"] = new JsonArray([.. spine.Keys.Select(Column)]),
                ["columns"] = new JsonArray([.. spine.Columns.Where(c => c.Role != ColumnRole.Key).Select(Column)]),
                ["when_unknown"] = pipeline.View.WhenUnknown.ToString().ToLowerInvariant(),
                ["how"] = $"Give the keys, so that the row of {spine.Name} is looked up, or all its columns; the event time may be left out.",
            },
            ["example"] = newest is null ? null : Example(spine, newest.EntityKey.Text),
        };
        return Results.Content(shown.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }), "application/json; charset=utf-8");
    }

    private static JsonNode Column(FeatureColumn column) => new JsonObject
    {
        ["name"] = column.Name,
        ["type"] = column.Type.ToString().ToLowerInvariant(),
        ["nullable"] = column.IsNullable,
        ["description"] = column.Description,
    };

    private static JsonObject Example(GroupSchema spine, string entityKey)
    {
        var instance = new JsonObject();
        foreach (var (column, value) in spine.Keys.Zip(JsonNode.Parse(entityKey)!.AsArray()))
            instance[column.Name] = value?.DeepClone();
        return new() { ["instances"] = new JsonArray(instance) };
    }
}
