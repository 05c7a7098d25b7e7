using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace AiWorkflows.Hosting.Api;

/// <summary>Compares a body with the type that it is meant to be, for the framework's own messages name types of ours instead of fields of theirs.</summary>
internal static class JsonShapeCheck
{
    private const int Shown = 60;

    /// <exception cref="ApiException">The first place that does not fit, with its path.</exception>
    public static void Check(JsonElement element, JsonTypeInfo type, string path)
    {
        if (element.ValueKind == JsonValueKind.Null)
            return;
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object:
                Object(element, type, path);
                break;
            case JsonTypeInfoKind.Enumerable when type.ElementType is { } item:
                Require(element, JsonValueKind.Array, path);
                var i = 0;
                foreach (var value in element.EnumerateArray())
                    Check(value, type.Options.GetTypeInfo(item), $"{path}[{i++}]");
                break;
            case JsonTypeInfoKind.Dictionary when type.ElementType is { } member:
                Require(element, JsonValueKind.Object, path);
                foreach (var property in element.EnumerateObject())
                    Check(property.Value, type.Options.GetTypeInfo(member), Member(path, property.Name));
                break;
            default:
                Value(element, type, path);
                break;
        }
    }

    /// <summary>The path of a member.</summary>
    public static string Member(string path, string name) => $"{path}.{ApiException.Shorten(name)}";

    private static void Object(JsonElement element, JsonTypeInfo type, string path)
    {
        Require(element, JsonValueKind.Object, path);
        foreach (var property in element.EnumerateObject())
            if (type.Properties.FirstOrDefault(p => p.Name == property.Name) is { } known)
                Check(property.Value, type.Options.GetTypeInfo(known.PropertyType), Member(path, property.Name));
            else
                throw ApiException.UnknownField("field", property.Name, type.Properties.Select(p => p.Name), Member(path, property.Name));
        foreach (var required in type.Properties.Where(p => p.IsRequired))
            if (!element.TryGetProperty(required.Name, out _))
                throw ApiException.BadRequest($"The field {required.Name} is missing.", Member(path, required.Name));
    }

    private static void Value(JsonElement element, JsonTypeInfo type, string path)
    {
        try
        {
            _ = element.Deserialize(type);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw ApiException.BadRequest($"{Text(element)} does not fit {path}: it takes {Wanted(type.Type)}.", path, e);
        }
    }

    private static void Require(JsonElement element, JsonValueKind kind, string path)
    {
        if (element.ValueKind != kind)
            throw ApiException.BadRequest($"{Text(element)} does not fit {path}: it takes {(kind == JsonValueKind.Array ? "an array" : "an object")}.", path);
    }

    private static string Text(JsonElement element)
    {
        var text = element.GetRawText();
        return text.Length <= Shown ? text : text[..Shown] + "…";
    }

    private static string Wanted(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(string) ? "a text"
            : type == typeof(bool) ? "true or false"
            : type == typeof(DateTimeOffset) || type == typeof(DateTime) ? "a time in UTC such as 2001-06-01T06:00:00Z"
            : type == typeof(Guid) ? "a UUID"
            : type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName))}"
            : type == typeof(int) || type == typeof(long) || type == typeof(short) ? "a whole number in range"
            : "a number in range";
    }
}
