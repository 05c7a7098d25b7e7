using System.Text.Json;

namespace AiWorkflows.Features;

/// <summary>What an instance of a request says about its spine row.</summary>
/// <param name="Keys">Canonical values.</param>
/// <param name="EventTime">Microseconds since 1970; null where the instance has none.</param>
/// <param name="Row">The row; null where the instance gives only keys, so that the row is looked up.</param>
internal readonly record struct Instance<TSpine>(object[] Keys, long? EventTime, TSpine? Row) where TSpine : class;

/// <summary>Reads instances: either the keys of a spine row, or all its columns; with or without event time.</summary>
internal sealed class InstanceReader<TSpine> where TSpine : class
{
    private readonly RowCodec<TSpine> _codec = RowCodec<TSpine>.Instance;
    private readonly Dictionary<string, int> _ordinals;
    private readonly Type?[] _enums;

    public InstanceReader()
    {
        var columns = _codec.Schema.Columns;
        _ordinals = columns.Select((c, i) => (c.Name, i)).ToDictionary(c => c.Name, c => c.i, StringComparer.Ordinal);
        _enums = [.. columns.Select(c => typeof(TSpine).GetProperty(c.Property)!.PropertyType).Select(t => Nullable.GetUnderlyingType(t) ?? t).Select(t => t.IsEnum ? t : null)];
    }

    /// <param name="path">Where the instance stands in the request.</param>
    /// <param name="now">The event time of a row that is given without one.</param>
    /// <exception cref="InstanceException">A field is unknown, missing, or of another type.</exception>
    public Instance<TSpine> Read(JsonElement instance, string path, DateTime now)
    {
        var columns = _codec.Schema.Columns;
        if (instance.ValueKind != JsonValueKind.Object)
            throw new InstanceException(path, $"it is no object; write {{\"{string.Join("\": …, \"", _codec.Schema.Keys.Select(k => k.Name))}\": …}}.");
        var cells = new object?[columns.Count];
        var given = new bool[columns.Count];
        foreach (var property in instance.EnumerateObject())
        {
            if (!_ordinals.TryGetValue(property.Name, out var ordinal))
                throw new InstanceException($"{path}.{property.Name}", NearMatches.Unknown($"column of {_codec.Schema.Name}", property.Name, columns.Select(c => c.Name)).Message);
            if (given[ordinal])
                throw new InstanceException($"{path}.{property.Name}", "it is given twice.");
            given[ordinal] = true;
            cells[ordinal] = InstanceCells.Of(columns[ordinal], _enums[ordinal], property.Value, $"{path}.{property.Name}");
        }
        for (var i = 1; i <= _codec.Schema.Keys.Count; i++)
            if (!given[i])
                throw new InstanceException($"{path}.{columns[i].Name}", $"it is missing; {_codec.Schema.Name} is looked up by {string.Join(" and ", _codec.Schema.Keys.Select(k => k.Name))}.");
        long? time = given[0] ? (long)cells[0]! : null;
        var features = Enumerable.Range(1 + _codec.Schema.Keys.Count, _codec.Schema.Features.Count);
        var hasRow = _codec.Schema.Features.Count == 0 ? given[0] : features.Any(i => given[i]);
        if (!hasRow)
            return new(Keys(cells), time, null);
        foreach (var i in features)
            if (!given[i] && !columns[i].IsNullable)
                throw new InstanceException($"{path}.{columns[i].Name}", "it is missing; give either only the keys, so that the row is looked up, or all columns of it.");
        cells[0] ??= Timestamps.ToMicros(now);
        return new(Keys(cells), time, Row(new InstanceCells(columns, cells), path));
    }

    private object[] Keys(object?[] cells) => cells[1..(1 + _codec.Schema.Keys.Count)]!;

    private TSpine Row(InstanceCells cells, string path)
    {
        try
        {
            return _codec.Canonicalize(_codec.Materializer(_codec.Schema.Columns)(cells));
        }
        catch (StageFailedException e)
        {
            throw new InstanceException(path, e.Message, e);
        }
    }
}
