using System.Data;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dapper;

namespace AiWorkflows.Storage.Queries;

/// <summary>An instant that a column keeps as microseconds since 1970. In JSON: ISO-8601 text with a Z.</summary>
[JsonConverter(typeof(UtcJsonConverter))]
internal readonly record struct Utc(DateTime Value)
{
    public static Utc FromMicros(long micros) => new(Timestamps.FromMicros(micros));

    public override string ToString() => Timestamps.Display(Value);
}

/// <summary>JSON that a column keeps as text. In JSON it is written as what it says, not as a text within a text.</summary>
[JsonConverter(typeof(JsonTextConverter))]
internal readonly record struct JsonText(string Text)
{
    /// <summary>The content, or an empty object where the column was null.</summary>
    public JsonElement Parse()
    {
        using var document = JsonDocument.Parse(Text ?? "{}");
        return document.RootElement.Clone();
    }

    public override string ToString() => Text ?? "";
}

internal sealed class UtcJsonConverter : JsonConverter<Utc>
{
    public override Utc Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetDateTime().ToUniversalTime());

    public override void Write(Utf8JsonWriter writer, Utc value, JsonSerializerOptions options) => writer.WriteStringValue(Timestamps.Iso(value.Value));
}

internal sealed class JsonTextConverter : JsonConverter<JsonText>
{
    public override JsonText Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return new(document.RootElement.GetRawText());
    }

    public override void Write(Utf8JsonWriter writer, JsonText value, JsonSerializerOptions options)
    {
        if (value.Text is null)
            writer.WriteNullValue();
        else
            writer.WriteRawValue(value.Text);
    }
}

/// <summary>Teaches Dapper the two types, and snake case.</summary>
internal static class QueryMapping
{
    static QueryMapping()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.AddTypeHandler(new UtcHandler());
        SqlMapper.AddTypeHandler(new JsonTextHandler());
    }

    /// <summary>Called by every query class before its first statement.</summary>
    public static void Ensure() { }

    private sealed class UtcHandler : SqlMapper.TypeHandler<Utc>
    {
        public override Utc Parse(object value) => Utc.FromMicros((long)value);

        public override void SetValue(IDbDataParameter parameter, Utc value) => parameter.Value = Timestamps.ToMicros(value.Value);
    }

    private sealed class JsonTextHandler : SqlMapper.TypeHandler<JsonText>
    {
        public override JsonText Parse(object value) => new((string)value);

        public override void SetValue(IDbDataParameter parameter, JsonText value) => parameter.Value = value.Text;
    }
}
