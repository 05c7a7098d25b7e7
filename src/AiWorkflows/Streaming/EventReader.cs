using System.Text.Json;
using AiWorkflows.Features;

namespace AiWorkflows.Streaming;

/// <summary>Reads events that come as JSON objects by column name. Only what may be missing can be left out.</summary>
internal sealed class EventReader<TEvent> where TEvent : class
{
    private readonly RowCodec<TEvent> _codec = RowCodec<TEvent>.Instance;
    private readonly Dictionary<string, int> _ordinals;
    private readonly Type?[] _enums;

    public EventReader()
    {
        var columns = _codec.Schema.Columns;
        _ordinals = columns.Select((c, i) => (c.Name, i)).ToDictionary(c => c.Name, c => c.i, StringComparer.Ordinal);
        _enums = [.. columns.Select(c => typeof(TEvent).GetProperty(c.Property)!.PropertyType).Select(t => Nullable.GetUnderlyingType(t) ?? t).Select(t => t.IsEnum ? t : null)];
    }

    /// <param name="path">Where the event stands in what was sent.</param>
    /// <exception cref="InstanceException">A field is unknown, missing, or of another type.</exception>
    public TEvent Read(JsonElement e, string path)
    {
        var columns = _codec.Schema.Columns;
        if (e.ValueKind != JsonValueKind.Object)
            throw new InstanceException(path, $"it is no object; write {{\"{string.Join("\": …, \"", columns.Select(c => c.Name))}\": …}}.");
        var cells = new object?[columns.Count];
        var given = new bool[columns.Count];
        foreach (var property in e.EnumerateObject())
        {
            if (!_ordinals.TryGetValue(property.Name, out var ordinal))
                throw new InstanceException($"{path}.{property.Name}", NearMatches.Unknown($"column of {_codec.Schema.Name}", property.Name, columns.Select(c => c.Name)).Message);
            if (given[ordinal])
                throw new InstanceException($"{path}.{property.Name}", "it is given twice.");
            given[ordinal] = true;
            cells[ordinal] = InstanceCells.Of(columns[ordinal], _enums[ordinal], property.Value, path);
        }
        for (var i = 0; i < columns.Count; i++)
            if (!given[i] && !columns[i].IsNullable)
                throw new InstanceException($"{path}.{columns[i].Name}", $"it is missing; an event of {_codec.Schema.Name} has {string.Join(", ", columns.Where(c => !c.IsNullable).Select(c => c.Name))}.");
        try
        {
            return _codec.Canonicalize(_codec.Materializer(columns)(new InstanceCells(columns, cells)));
        }
        catch (StageFailedException error)
        {
            throw new InstanceException(path, error.Message, error);
        }
    }
}
