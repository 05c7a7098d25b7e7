using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using AiWorkflows.Features;
using AiWorkflows.Inference;
using Microsoft.OpenApi;

namespace AiWorkflows.Hosting.Api;

/// <summary>What requests and answers of a model look like, made from its pipeline: the spine's columns go in, what <c>Decide</c> returns comes out.</summary>
internal static class ModelSchemas
{
    private const int LongestRequestId = 64;

    public static OpenApiSchema Request(InferenceDefinition pipeline, int mostInstances) => Object(
        ("instances", new OpenApiSchema { Type = JsonSchemaType.Array, MinItems = 1, MaxItems = mostInstances, Items = Instance(pipeline.View.Spine) }, true),
        ("request_id", new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = LongestRequestId, Description = "Sent again, the request is answered and logged once." }, false));

    public static OpenApiSchema Answer(InferenceDefinition pipeline) => Object(
        ("predictions", new OpenApiSchema { Type = JsonSchemaType.Array, Items = Prediction(pipeline) }, true),
        ("model", new OpenApiSchema { Type = JsonSchemaType.String }, true),
        ("version", new OpenApiSchema { Type = JsonSchemaType.Integer | JsonSchemaType.Null, Description = "Null where several versions have answered; each prediction names its own." }, true));

    public static OpenApiSchema Events(GroupSchema group) => new()
    {
        Type = JsonSchemaType.Array, Items = Object([.. group.Columns.Select(c => (c.Name, Column(group, c), c.Role != ColumnRole.Feature || !c.IsNullable))]), Description = $"Events of {group.Name}.",
    };

    /// <summary>A row of values that its columns can hold, without its event time: an instance that is answered whether or not it is in the store.</summary>
    public static JsonObject WholeRow(GroupSchema spine)
    {
        var instance = new JsonObject();
        foreach (var column in spine.Columns.Where(c => c.Role != ColumnRole.EventTime))
            instance[column.Name] = Value(spine, column);
        return instance;
    }

    public static JsonObject Event(GroupSchema group)
    {
        var row = WholeRow(group);
        row[group.EventTime.Name] = Value(group, group.EventTime);
        return row;
    }

    private static OpenApiSchema Instance(GroupSchema spine)
    {
        var schema = Object([.. spine.Keys.Concat(spine.Features).Append(spine.EventTime).Select(c => (c.Name, Column(spine, c), c.Role == ColumnRole.Key))]);
        schema.Description = $"A row of {spine.Name}: its keys, so that it is looked up, or all its columns. The event time may be left out.";
        return schema;
    }

    private static OpenApiSchema Prediction(InferenceDefinition pipeline)
    {
        var schema = Object(
            ("prediction_id", new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64", Description = "Its id in the prediction log." }, true),
            ("entity_key", new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema(), Description = $"{string.Join(", ", pipeline.View.Spine.Keys.Select(k => k.Name))}." }, true),
            ("event_time", new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time", Description = "Features are those known at this moment (UTC)." }, true),
            ("score", new OpenApiSchema { Type = JsonSchemaType.Number | JsonSchemaType.Null }, true),
            ("probability", new OpenApiSchema { Type = JsonSchemaType.Number, Description = "Where the model gives one." }, false),
            ("label", new OpenApiSchema { Type = JsonSchemaType.String, Description = "Of a model of classes: the most probable one." }, false),
            ("output", Output(pipeline), true),
            ("version", new OpenApiSchema { Type = JsonSchemaType.Integer, Description = "The version that made it." }, true),
            ("missing", new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String }, Description = "Joins that found no row; `spine` where the entity is unknown." }, true));
        schema.AdditionalPropertiesAllowed = true;
        return schema;
    }

    private static OpenApiSchema Output(InferenceDefinition pipeline)
    {
        var type = pipeline.Type;
        while (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(BatchInferencePipeline<,>))
            type = type.BaseType!;
        var schema = Object([.. type.GenericTypeArguments[1].GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.GetIndexParameters().Length == 0)
            .Select(p => (JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name), Member(p.PropertyType), true))]);
        (schema.Description, schema.AdditionalPropertiesAllowed) = ($"What {pipeline.Name} decides.", true);
        return schema;
    }

    private static OpenApiSchema Member(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(bool) ? new() { Type = JsonSchemaType.Boolean }
            : type == typeof(string) ? new() { Type = JsonSchemaType.String }
            : type.IsEnum ? new() { Type = JsonSchemaType.String, Enum = [.. Enum.GetNames(type).Select(n => (JsonNode)n)] }
            : type == typeof(float) || type == typeof(double) || type == typeof(decimal) ? new() { Type = JsonSchemaType.Number | JsonSchemaType.Null }
            : type.IsPrimitive ? new() { Type = JsonSchemaType.Integer }
            : new OpenApiSchema();
    }

    private static OpenApiSchema Column(GroupSchema spine, FeatureColumn column)
    {
        var schema = column.Type switch
        {
            ColumnType.Text => new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = column.MaxLength > 0 ? column.MaxLength : null },
            ColumnType.Enum => new() { Type = JsonSchemaType.String, Enum = [.. Names(spine, column).Select(n => (JsonNode)n)] },
            ColumnType.Boolean => new() { Type = JsonSchemaType.Boolean },
            ColumnType.Single => new() { Type = JsonSchemaType.Number, Format = "float" },
            ColumnType.Double => new() { Type = JsonSchemaType.Number, Format = "double" },
            ColumnType.Decimal => new() { Type = JsonSchemaType.Number },
            ColumnType.Timestamp => new() { Type = JsonSchemaType.String, Format = "date-time" },
            ColumnType.Date => new() { Type = JsonSchemaType.String, Format = "date" },
            ColumnType.Guid => new() { Type = JsonSchemaType.String, Format = "uuid" },
            ColumnType.Vector => new() { Type = JsonSchemaType.Array, MinItems = column.MaxLength, MaxItems = column.MaxLength, Items = new OpenApiSchema { Type = JsonSchemaType.Number } },
            ColumnType.Int64 => new() { Type = JsonSchemaType.Integer, Format = "int64" },
            _ => new() { Type = JsonSchemaType.Integer, Format = "int32" },
        };
        if (column.IsNullable)
            schema.Type |= JsonSchemaType.Null;
        schema.Description = column.Description ?? (column.Role == ColumnRole.EventTime ? "The event time, with Z or offset." : null);
        return schema;
    }

    private static JsonNode Value(GroupSchema spine, FeatureColumn column) => column.Type switch
    {
        ColumnType.Text => "A",
        ColumnType.Enum => Names(spine, column)[0],
        ColumnType.Boolean => true,
        ColumnType.Timestamp => "2001-06-30T17:05:00Z",
        ColumnType.Date => "2001-06-30",
        ColumnType.Guid => "0197b2f4-7c5e-7d3a-9c41-2f1d3c5b7a90",
        ColumnType.Vector => new JsonArray([.. Enumerable.Repeat(0, column.MaxLength).Select(_ => (JsonNode)0)]),
        _ => 1,
    };

    private static string[] Names(GroupSchema spine, FeatureColumn column)
    {
        var type = spine.Row.GetProperty(column.Property)!.PropertyType;
        return Enum.GetNames(Nullable.GetUnderlyingType(type) ?? type);
    }

    private static OpenApiSchema Object(params (string Name, OpenApiSchema Schema, bool IsRequired)[] members) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = members.ToDictionary(m => m.Name, m => (IOpenApiSchema)m.Schema),
        Required = members.Where(m => m.IsRequired).Select(m => m.Name).ToHashSet(),
        AdditionalPropertiesAllowed = false,
    };
}
