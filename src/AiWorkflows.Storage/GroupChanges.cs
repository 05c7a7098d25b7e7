using System.Text.Json;
using System.Text.Json.Serialization;
using AiWorkflows.Features;

namespace AiWorkflows.Storage;

/// <summary>A column as <c>columns_json</c> records it.</summary>
internal sealed record StoredColumn(
    string Name, string Property, ColumnType Type, ColumnRole Role, bool Nullable, int MaxLength, int Precision, int Scale, string? Description)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static string Write(GroupSchema group) => JsonSerializer.Serialize(group.Columns.Select(
        c => new StoredColumn(c.Name, c.Property, c.Type, c.Role, c.IsNullable, c.MaxLength, c.Precision, c.Scale, c.Description)), Json);

    public static IReadOnlyList<StoredColumn> Read(string json) => JsonSerializer.Deserialize<StoredColumn[]>(json, Json)!;
}

/// <summary>Compares a schema with the one in the store: what may be added, and what would change the meaning of stored rows.</summary>
internal static class GroupChanges
{
    /// <summary>The columns that have to be added.</summary>
    /// <exception cref="InvalidRequestException">A column was removed or changed, or one was added that is not nullable.</exception>
    public static IReadOnlyList<FeatureColumn> Additions(GroupSchema group, IReadOnlyList<StoredColumn> stored)
    {
        var wrong = new List<string>();
        var declared = group.Columns.ToDictionary(c => c.Name, StringComparer.Ordinal);
        foreach (var old in stored)
            if (!declared.TryGetValue(old.Name, out var column))
                wrong.Add($"column '{old.Name}' was removed");
            else if (Change(old, column) is { } change)
                wrong.Add($"column '{old.Name}' {change}");
        if (!stored.Where(c => c.Role == ColumnRole.Key).Select(c => c.Name).SequenceEqual(group.Keys.Select(k => k.Name)) && wrong.Count == 0)
            wrong.Add($"the keys are now {string.Join(", ", group.Keys.Select(k => k.Name))}, and were {string.Join(", ", stored.Where(c => c.Role == ColumnRole.Key).Select(c => c.Name))}");
        var known = stored.Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        var added = group.Columns.Where(c => !known.Contains(c.Name)).ToArray();
        wrong.AddRange(added.Where(c => c.Role != ColumnRole.Feature).Select(c => $"column '{c.Name}' was added as {(c.Role == ColumnRole.Key ? "a key" : "the event time")}"));
        wrong.AddRange(added.Where(c => c.Role == ColumnRole.Feature && !c.IsNullable).Select(c => $"column '{c.Name}' was added and is not nullable, but rows in the store have no value for it (make it nullable)"));
        return wrong.Count == 0 ? added : throw new InvalidRequestException(
            $"Feature group {group} does not fit the rows in the store: {string.Join("; ", wrong)}. Undo the change, or raise the version: [FeatureGroup(\"{group.Name}\", Version = {group.Version + 1})] on {group.Row.Name}.");
    }

    private static string? Change(StoredColumn old, FeatureColumn now) =>
        old.Type != now.Type ? $"is {now.Type} and was {old.Type}"
        : old.Role != now.Role ? $"is {Display(now.Role)} and was {Display(old.Role)}"
        : old.Nullable && !now.IsNullable ? "is no longer nullable"
        : now.MaxLength < old.MaxLength || (now.Type == ColumnType.Vector && now.MaxLength != old.MaxLength) ? $"has length {now.MaxLength} and had {old.MaxLength}"
        : now.Scale != old.Scale || now.Precision < old.Precision ? $"is decimal({now.Precision},{now.Scale}) and was decimal({old.Precision},{old.Scale})"
        : null;

    private static string Display(ColumnRole role) => role switch { ColumnRole.Key => "a key", ColumnRole.EventTime => "the event time", _ => "a feature" };
}
