using System.Text.Json;
using AiWorkflows.Inference;
using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting.Api;

/// <summary>Writes an answer straight into the response.</summary>
internal sealed class PredictionsResult(OnlineAnswer answer) : IResult
{
    private static readonly JsonWriterOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.ContentType = "application/json; charset=utf-8";
        await using var writer = new Utf8JsonWriter(httpContext.Response.BodyWriter, Options);
        writer.WriteStartObject();
        writer.WriteStartArray("predictions");
        foreach (var prediction in answer.Predictions)
            Write(writer, prediction);
        writer.WriteEndArray();
        writer.WriteString("model", answer.Model);
        // With a challenger's share several versions may have answered; each prediction names its own.
        var versions = answer.Predictions.Select(p => p.Version).Distinct().ToArray();
        if (versions is [var version])
            writer.WriteNumber("version", version);
        else
            writer.WriteNull("version");
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, OnlinePrediction prediction)
    {
        writer.WriteStartObject();
        writer.WriteNumber("prediction_id", prediction.PredictionId);
        writer.WritePropertyName("entity_key");
        writer.WriteRawValue(prediction.EntityKey);
        writer.WriteString("event_time", Timestamps.Iso(prediction.EventTime));
        Number("score", prediction.Score);
        if (prediction.Probability is not null)
            Number("probability", prediction.Probability);
        if (prediction.Label is not null)
            writer.WriteString("label", prediction.Label);
        writer.WritePropertyName("output");
        writer.WriteRawValue(prediction.Output);
        writer.WriteNumber("version", prediction.Version);
        writer.WriteStartArray("missing");
        foreach (var missing in prediction.Missing)
            writer.WriteStringValue(missing);
        writer.WriteEndArray();
        writer.WriteEndObject();

        void Number(string name, double? value)
        {
            if (value is { } number)
                writer.WriteNumber(name, number);
            else
                writer.WriteNull(name);
        }
    }
}
