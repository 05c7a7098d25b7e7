using System.Text.Json;
using System.Text.Json.Nodes;
using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Storage.Queries;
using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting.Api;

/// <summary>What a model takes and gives, with a request that works when it is pasted: about the entity of a prediction that is in the log, else of a whole row.</summary>
internal sealed class ModelExample(PredictionQueries predictions)
{
    public async Task<IResult> OfAsync(InferenceDefinition pipeline, ModelVersionRecord? champion, CancellationToken ct)
    {
        var spine = pipeline.View.Spine;
        var (request, _) = await RequestAndAnswerAsync(pipeline, ct);
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
            ["example"] = request,
        };
        return Results.Content(shown.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }), "application/json; charset=utf-8");
    }

    /// <summary>A request that works, and what was answered about its entity the last time, if anything was.</summary>
    public async Task<(JsonObject Request, JsonObject? Answer)> RequestAndAnswerAsync(InferenceDefinition pipeline, CancellationToken ct)
    {
        if (await predictions.ListAsync(pipeline.Model, null, 1, ct) is not [var newest, ..])
            return (new() { ["instances"] = new JsonArray(ModelSchemas.WholeRow(pipeline.View.Spine)) }, null);
        var prediction = new JsonObject
        {
            ["prediction_id"] = newest.PredictionId,
            ["entity_key"] = JsonNode.Parse(newest.EntityKey.Text),
            ["event_time"] = Timestamps.Iso(newest.EventTime),
            ["score"] = newest.Score,
        };
        if (newest.Probability is { } probability)
            prediction["probability"] = probability;
        if (newest.Label is { } label)
            prediction["label"] = label;
        prediction["output"] = JsonNode.Parse(newest.Output.Text);
        prediction["version"] = newest.Version;
        prediction["missing"] = new JsonArray();
        return (Example(pipeline.View.Spine, newest.EntityKey.Text), new() { ["predictions"] = new JsonArray(prediction), ["model"] = newest.Model, ["version"] = newest.Version });
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
