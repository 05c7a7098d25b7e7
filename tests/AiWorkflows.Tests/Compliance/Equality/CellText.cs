using AiWorkflows.Features;

namespace AiWorkflows.Tests.Compliance.Equality;

/// <summary>The cells of a row as one text in which nothing is lost: the bits of numbers, the units of texts.</summary>
internal sealed class CellText(int columns) : ICellSink
{
    private readonly object?[] _cells = new object?[columns];

    public static string Of<TRow>(TRow row) where TRow : class
    {
        var sink = new CellText(RowCodec<TRow>.Instance.Schema.Columns.Count);
        RowCodec<TRow>.Instance.Bind(row, sink);
        return sink.ToString();
    }

    /// <summary>What a cursor over all columns of the group shows.</summary>
    public static string Of(IRowCursor cursor, GroupSchema group)
    {
        var sink = new CellText(group.Columns.Count);
        for (var i = 0; i < group.Columns.Count; i++)
            sink._cells[i] = cursor.IsNull(i) ? null : group.Columns[i].Kind switch
            {
                CellKind.Integer => cursor.Integer(i),
                CellKind.Real => cursor.Real(i),
                CellKind.Text => cursor.Text(i),
                _ => cursor.Blob(i),
            };
        return sink.ToString();
    }

    /// <summary>The canonical keys of a row, as a store is asked for them.</summary>
    public static object[] Keys<TRow>(TRow row) where TRow : class
    {
        var schema = RowCodec<TRow>.Instance.Schema;
        var sink = new CellText(schema.Columns.Count);
        RowCodec<TRow>.Instance.Bind(row, sink);
        return [.. sink._cells.Skip(1).Take(schema.Keys.Count).Select(c => c!)];
    }

    public void Null(int ordinal) => _cells[ordinal] = null;

    public void Integer(int ordinal, long value) => _cells[ordinal] = value;

    public void Real(int ordinal, double value) => _cells[ordinal] = double.IsNaN(value) ? null : value;

    public void Text(int ordinal, string value) => _cells[ordinal] = value;

    public void Blob(int ordinal, ReadOnlySpan<byte> value) => _cells[ordinal] = value.ToArray();

    public override string ToString() => string.Join('|', _cells.Select(c => c switch
    {
        null => "null",
        long value => $"i{value}",
        double value => $"r{BitConverter.DoubleToInt64Bits(value):x16}",
        string text => $"t{string.Concat(text.Select(u => u is > ' ' and < '\u007f' and not '|' and not '\\' ? u.ToString() : $"\\{(int)u:x4}"))}",
        byte[] bytes => $"b{(bytes.Length > 64 ? Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(bytes)) : Convert.ToHexString(bytes))}",
        _ => throw new InvalidOperationException(c.GetType().Name),
    }));
}
