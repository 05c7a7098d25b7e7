using System.Data;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dapper;

namespace AiWorkflows.Storage.Queries;

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

/// <summary>Teaches Dapper the type.</summary>
internal static class QueryMapping
{
    static QueryMapping()
    {
        SqlMapper.AddTypeHandler(new JsonTextHandler());
    }

    /// <summary>Called by every query class before its first statement.</summary>
    public static void Ensure() { }

    private sealed class JsonTextHandler : SqlMapper.TypeHandler<JsonText>
    {
        public override JsonText Parse(object value) => new((string)value);

        public override void SetValue(IDbDataParameter parameter, JsonText value) => parameter.Value = value.Text;
    }
}
