using System.Text;
using System.Text.Json;

namespace AiWorkflows.Features;

/// <summary>What an instance of a request says about its spine row.</summary>
/// <param name="Keys">Canonical values.</param>
/// <param name="EventTime">Microseconds since 1970; null where the instance has none.</param>
/// <param name="Row">The row; null where the instance gives only keys, so that the row is looked up.</param>
internal readonly record struct Instance<TSpine>(object[] Keys, long? EventTime, TSpine? Row) where TSpine : class;

/// <summary>Canonical key values, to be compared.</summary>
internal readonly struct InstanceKey(object[] keys) : IEquatable<InstanceKey>
{
    private readonly object[] _keys = keys;

    public IReadOnlyList<object> Values => _keys;

    public bool Equals(InstanceKey other)
    {
        for (var i = 0; i < _keys.Length; i++)
            if (_keys[i] is byte[] blob ? !blob.AsSpan().SequenceEqual((byte[])other._keys[i]) : !_keys[i].Equals(other._keys[i]))
                return false;
        return true;
    }

    public override bool Equals(object? obj) => obj is InstanceKey other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var key in _keys)
            if (key is byte[] blob)
                hash.AddBytes(blob);
            else
                hash.Add(key);
        return hash.ToHashCode();
    }
}

/// <summary>Reads instances: either the keys of a spine row, or all its columns; with or without event time.</summary>
internal sealed class InstanceReader<TSpine> where TSpine : class
{
    private readonly RowCodec<TSpine> _codec = RowCodec<TSpine>.Instance;
    private readonly byte[][] _names;
    private readonly Type?[] _enums;

    public InstanceReader()
    {
        var columns = _codec.Schema.Columns;
        _names = [.. columns.Select(c => Encoding.UTF8.GetBytes(c.Name))];
        _enums = [.. columns.Select(c => typeof(TSpine).GetProperty(c.Property)!.PropertyType).Select(t => Nullable.GetUnderlyingType(t) ?? t).Select(t => t.IsEnum ? t : null)];
    }

    /// <summary>Where an instance stands in the request.</summary>
    public static string At(string path, int item) => $"{path}[{item}]";

    /// <param name="path">Where the instances stand in the request.</param>
    /// <param name="now">The event time of a row that is given without one.</param>
    /// <exception cref="InstanceException">A field is unknown, missing, or of another type.</exception>
    public Instance<TSpine> Read(JsonElement instance, string path, int item, DateTime now)
    {
        var columns = _codec.Schema.Columns;
        if (instance.ValueKind != JsonValueKind.Object)
            throw new InstanceException(At(path, item), $"it is no object; write {{\"{string.Join("\": …, \"", _codec.Schema.Keys.Select(k => k.Name))}\": …}}.");
        var cells = new object?[columns.Count];
        var given = new bool[columns.Count];
        foreach (var property in instance.EnumerateObject())
        {
            var ordinal = Ordinal(property);
            if (ordinal < 0)
                throw new InstanceException($"{At(path, item)}.{property.Name}", NearMatches.Unknown($"column of {_codec.Schema.Name}", property.Name, columns.Select(c => c.Name)).Message);
            if (given[ordinal])
                throw new InstanceException($"{At(path, item)}.{property.Name}", "it is given twice.");
            given[ordinal] = true;
            cells[ordinal] = InstanceCells.Of(columns[ordinal], _enums[ordinal], property.Value, path, item);
        }
        for (var i = 1; i <= _codec.Schema.Keys.Count; i++)
            if (!given[i])
                throw new InstanceException($"{At(path, item)}.{columns[i].Name}", $"it is missing; {_codec.Schema.Name} is looked up by {string.Join(" and ", _codec.Schema.Keys.Select(k => k.Name))}.");
        long? time = given[0] ? (long)cells[0]! : null;
        var first = 1 + _codec.Schema.Keys.Count;
        var hasRow = _codec.Schema.Features.Count == 0 ? given[0] : Array.IndexOf(given, true, first) >= 0;
        if (!hasRow)
            return new(Keys(cells), time, null);
        for (var i = first; i < columns.Count; i++)
            if (!given[i] && !columns[i].IsNullable)
                throw new InstanceException($"{At(path, item)}.{columns[i].Name}", "it is missing; give either only the keys, so that the row is looked up, or all columns of it.");
        cells[0] ??= Timestamps.ToMicros(now);
        return new(Keys(cells), time, Row(new InstanceCells(columns, cells), At(path, item)));
    }

    private int Ordinal(JsonProperty property)
    {
        for (var i = 0; i < _names.Length; i++)
            if (property.NameEquals(_names[i]))
                return i;
        return -1;
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
