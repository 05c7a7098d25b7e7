using System.Buffers;
using System.Text.Json;
using AiWorkflows.Inference;
using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting.Api;

/// <summary>Writes an answer straight into the response.</summary>
internal sealed class PredictionsResult(OnlineAnswer answer) : IResult
{
    private static readonly JsonWriterOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>One of each thread, used between two awaits.</summary>
    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Text, Utf8JsonWriter Json)? _spare;

    /// <summary>What a spare buffer may keep.</summary>
    private const int MostKept = 64 * 1024;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (text, json) = _spare ?? Make();
        _spare = null;
        Write(json);
        json.Flush();
        var response = httpContext.Response;
        response.ContentType = "application/json; charset=utf-8";
        // Known, so that the answer travels in one piece.
        response.ContentLength = text.WrittenCount;
        await response.BodyWriter.WriteAsync(text.WrittenMemory, httpContext.RequestAborted);
        if (text.Capacity > MostKept)
            return;
        text.ResetWrittenCount();
        json.Reset();
        _spare = (text, json);
    }

    private static (ArrayBufferWriter<byte>, Utf8JsonWriter) Make()
    {
        var text = new ArrayBufferWriter<byte>(1024);
        return (text, new(text, Options));
    }

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("predictions"u8);
        foreach (var prediction in answer.Predictions)
            Write(writer, prediction);
        writer.WriteEndArray();
        writer.WriteString("model"u8, answer.Model);
        // With a challenger's share several versions may have answered; each prediction names its own.
        var first = answer.Predictions[0].Version;
        if (answer.Predictions.All(p => p.Version == first))
            writer.WriteNumber("version"u8, first);
        else
            writer.WriteNull("version"u8);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, OnlinePrediction prediction)
    {
        writer.WriteStartObject();
        writer.WriteNumber("prediction_id"u8, prediction.PredictionId);
        writer.WritePropertyName("entity_key"u8);
        // Written by us, so it need not be checked again.
        writer.WriteRawValue(prediction.EntityKey, skipInputValidation: true);
        writer.WriteString("event_time"u8, Timestamps.Iso(prediction.EventTime));
        Number("score"u8, prediction.Score);
        if (prediction.Probability is not null)
            Number("probability"u8, prediction.Probability);
        if (prediction.Label is not null)
            writer.WriteString("label"u8, prediction.Label);
        writer.WritePropertyName("output"u8);
        writer.WriteRawValue(prediction.Output, skipInputValidation: true);
        writer.WriteNumber("version"u8, prediction.Version);
        writer.WriteStartArray("missing"u8);
        foreach (var missing in prediction.Missing)
            writer.WriteStringValue(missing);
        writer.WriteEndArray();
        writer.WriteEndObject();

        void Number(ReadOnlySpan<byte> name, double? value)
        {
            if (value is { } number)
                writer.WriteNumber(name, number);
            else
                writer.WriteNull(name);
        }
    }
}
