using System.Text.Json;
using System.Text.Json.Serialization;

namespace AiWorkflows.Models;

/// <summary>What a model takes and gives, as the registry stores it.</summary>
internal sealed record ModelSignature(IReadOnlyList<ModelSignature.Field> Inputs, ModelSignature.Field? Label, IReadOnlyList<ModelSignature.Field> Outputs)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <param name="Type"><c>single</c>, <c>text</c>, <c>boolean</c> or <c>vector&lt;single,n&gt;</c>.</param>
    internal sealed record Field(string Name, string Type, bool Nullable);

    public static ModelSignature Of(ExampleSchema schema, ModelTask task) => new(
        [.. schema.Columns.Select(c => new Field(c.Name, c.DataType, c.IsNullable))],
        new Field(ExampleSchema.LabelName, task switch { ModelTask.Binary => "boolean", ModelTask.Multiclass => "text", _ => "single" }, false),
        task switch
        {
            ModelTask.Binary => [new("score", "single", false), new("probability", "single", true)],
            ModelTask.Multiclass => [new("score", "single", false), new("probability", "single", false), new("label", "text", false)],
            _ => [new("score", "single", false)],
        });

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public static ModelSignature FromJson(string json) =>
        JsonSerializer.Deserialize<ModelSignature>(json, Json) ?? throw new StageFailedException("The model's signature is empty; train it again.");

    /// <summary>What a model with this signature misses or finds changed in <paramref name="schema"/>; null where it fits.</summary>
    public string? Mismatch(ExampleSchema schema)
    {
        foreach (var input in Inputs)
        {
            var column = schema.Columns.FirstOrDefault(c => c.Name == input.Name);
            if (column is null)
                return $"it wants {input.Name} ({input.Type}), which the view no longer gives";
            if (column.DataType != input.Type)
                return $"it wants {input.Name} as {input.Type}, but the view gives {column.DataType}";
        }
        return null;
    }
}
