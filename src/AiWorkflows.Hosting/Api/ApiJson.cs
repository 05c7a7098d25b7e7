using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace AiWorkflows.Hosting.Api;

/// <summary>
/// How the API reads and writes JSON: snake_case names, ISO-8601 times in UTC. Reading is strict, and each mistake names its field: unknown and repeated
/// fields, wrong types, times without a zone, nesting deeper than <see cref="MaxDepth"/>.
/// </summary>
internal static class ApiJson
{
    /// <summary>How deep a body may nest.</summary>
    public const int MaxDepth = 32;

    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        PropertyNameCaseInsensitive = false,
        NumberHandling = JsonNumberHandling.Strict,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        TypeInfoResolver = new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver(),
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = MaxDepth,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower), new InstantConverter(), new FiniteConverter() },
    };

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    public static IResult Result(object value, int status = StatusCodes.Status200OK) => Results.Json(value, Options, statusCode: status);

    /// <summary>Whether there may be a body; a chunked one has no length, so the length does not tell.</summary>
    public static bool HasBody(HttpRequest http) => http.ContentLength != 0 && http.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: false };

    /// <summary>The body as <typeparamref name="T"/>, or <paramref name="missing"/> where there is none.</summary>
    /// <exception cref="ApiException">There is no body and none may be missing; it is no JSON (400, 415), or does not fit the type (400, with the field).</exception>
    public static async Task<T> ReadAsync<T>(HttpRequest http, CancellationToken ct, T? missing = null) where T : class
    {
        if (missing is not null && !HasBody(http))
            return missing;
        using var document = await ReadDocumentAsync(http, ct);
        return Read<T>(document.RootElement);
    }

    /// <summary>The body as it is, for what has no type of its own. Dispose of it.</summary>
    /// <exception cref="ApiException">It is no JSON (400), is not called JSON (415), nests too deep or repeats a name (400).</exception>
    public static async Task<JsonDocument> ReadDocumentAsync(HttpRequest http, CancellationToken ct)
    {
        if (!HasBody(http))
            throw ApiException.BadRequest("The request has no body; send JSON.");
        if (!http.HasJsonContentType())
            throw new ApiException(StatusCodes.Status415UnsupportedMediaType, $"Send application/json{(http.ContentType is { Length: > 0 } type ? $", not {ApiException.Shorten(type)}" : "")}.");
        return Parse(await BytesAsync(http, ct), null);
    }

    /// <summary>Whether the body has a JSON value on each line.</summary>
    public static bool IsLines(HttpRequest http) => http.ContentType is { } type && Microsoft.Net.Http.Headers.MediaTypeHeaderValue.TryParse(type, out var parsed)
        && (parsed.MediaType.Equals("application/x-ndjson", StringComparison.OrdinalIgnoreCase) || parsed.MediaType.Equals("application/jsonl", StringComparison.OrdinalIgnoreCase));

    /// <summary>The values of a body that has one on each line; empty lines are passed over. Dispose of each.</summary>
    /// <exception cref="ApiException">As <see cref="ReadDocumentAsync"/>, with the line.</exception>
    public static async Task<IEnumerable<JsonDocument>> ReadLinesAsync(HttpRequest http, CancellationToken ct)
    {
        var bytes = HasBody(http) ? await BytesAsync(http, ct) : default;
        return Lines();

        IEnumerable<JsonDocument> Lines()
        {
            for (int start = 0, number = 1; start < bytes.Length; number++)
            {
                var length = bytes.Span[start..].IndexOf((byte)'\n') is var end and >= 0 ? end : bytes.Length - start;
                var line = bytes.Slice(start, length);
                start += length + 1;
                if (line.Span.IndexOfAnyExcept(" \t\r"u8) >= 0)
                    yield return Parse(line, number);
            }
        }
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> bytes, int? number)
    {
        try
        {
            if (!Utf8.IsValid(bytes.Span))
                throw ApiException.BadRequest("The body is not UTF-8.");
            var document = JsonDocument.Parse(bytes, Strict);
            // Only an escape can hide half a character, which no text of .NET or of a database can hold.
            if (bytes.Span.IndexOf("\\u"u8) >= 0)
                RequireWholeCharacters(document.RootElement);
            return document;
        }
        catch (JsonException e)
        {
            var where = e.LineNumber is { } line ? $" (line {number ?? line + 1}, byte {e.BytePositionInLine + 1})" : "";
            throw ApiException.BadRequest($"The body cannot be read as JSON{where}: {Reason(e.Message)}", null, e);
        }
        catch (InvalidOperationException e)
        {
            throw ApiException.BadRequest("A text of the body holds half a character (a lone surrogate).", null, e);
        }
    }

    private static async Task<ReadOnlyMemory<byte>> BytesAsync(HttpRequest http, CancellationToken ct)
    {
        var reader = http.BodyReader;
        ReadResult read;
        // Nothing is copied before all of it is there; the server limits how much that is.
        while (!(read = await reader.ReadAsync(ct)).IsCompleted)
        {
            if (read.IsCanceled)
                throw new OperationCanceledException(ct);
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
        var bytes = read.Buffer.ToArray();
        reader.AdvanceTo(read.Buffer.End);
        return bytes;
    }

    private static void RequireWholeCharacters(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    _ = property.Name;
                    RequireWholeCharacters(property.Value);
                }
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    RequireWholeCharacters(item);
                break;
            case JsonValueKind.String:
                _ = element.GetString();
                break;
        }
    }

    /// <summary>A value of the body as <typeparamref name="T"/>.</summary>
    /// <param name="path">Where the value stands in the body.</param>
    /// <exception cref="ApiException">It does not fit the type (400, with the field).</exception>
    public static T Read<T>(JsonElement element, string path = "$") where T : class
    {
        JsonShapeCheck.Check(element, Options.GetTypeInfo(typeof(T)), path);
        try
        {
            return element.Deserialize<T>(Options) ?? throw ApiException.BadRequest("The body is null; send an object.", path);
        }
        catch (JsonException e)
        {
            throw ApiException.BadRequest($"The body does not fit: {Reason(e.Message)}", e.Path is { Length: > 1 } at ? path + at[1..] : path, e);
        }
    }

    /// <summary>The framework's sentence without its names of types and positions.</summary>
    private static string Reason(string message)
    {
        var end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        if (end < 0)
            end = message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    /// <summary>An instant says where: a time without zone would be another one on every machine.</summary>
    private sealed class InstantConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.String || !reader.TryGetDateTime(out var time) || time.Kind == DateTimeKind.Unspecified || !reader.TryGetDateTimeOffset(out var instant))
                throw new JsonException();
            return instant.ToUniversalTime();
        }

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(Timestamps.Iso(value.UtcDateTime));
    }

    /// <summary>JSON has no NaN; what is no number is null.</summary>
    private sealed class FiniteConverter : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var value) && double.IsFinite(value) ? value : throw new JsonException();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (double.IsFinite(value))
                writer.WriteNumberValue(value);
            else
                writer.WriteNullValue();
        }
    }
}
