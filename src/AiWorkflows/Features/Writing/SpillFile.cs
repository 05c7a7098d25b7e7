using System.Text;

namespace AiWorkflows.Features;

/// <summary>A sorted run of rows in a temporary file that vanishes with its handle, whatever happens to the process.</summary>
internal sealed class SpillFile<TRow> : IDisposable where TRow : class
{
    private readonly FileStream _stream;
    private readonly long _rows;

    public SpillFile(RowCodec<TRow> codec, ReadOnlySpan<TRow> rows)
    {
        _stream = new FileStream(
            Path.Combine(Path.GetTempPath(), $"aiworkflows-sort-{Guid.NewGuid():N}.tmp"),
            new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 1 << 16, Options = FileOptions.DeleteOnClose });
        _rows = rows.Length;
        using var writer = new BinaryWriter(_stream, Encoding.UTF8, leaveOpen: true);
        var sink = new Sink(writer);
        foreach (var row in rows)
            codec.Bind(row, sink);
    }

    public IEnumerator<TRow> Read(RowCodec<TRow> codec)
    {
        _stream.Position = 0;
        using var cursor = new SpillCursor(_stream, codec.Schema.Columns, _rows);
        var materialize = codec.Materializer(codec.Schema.Columns);
        while (cursor.Read())
            yield return materialize(cursor);
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>Cells come in the order of the columns, so a tag for missing and the bare value suffice.</summary>
    private sealed class Sink(BinaryWriter writer) : ICellSink
    {
        public void Null(int ordinal) => writer.Write(false);

        public void Integer(int ordinal, long value)
        {
            writer.Write(true);
            writer.Write(value);
        }

        public void Real(int ordinal, double value)
        {
            writer.Write(true);
            writer.Write(value);
        }

        public void Text(int ordinal, string value)
        {
            writer.Write(true);
            writer.Write(value);
        }

        public void Blob(int ordinal, ReadOnlySpan<byte> value)
        {
            writer.Write(true);
            writer.Write7BitEncodedInt(value.Length);
            writer.Write(value);
        }
    }
}

/// <summary>Reads rows back from a temporary file.</summary>
internal sealed class SpillCursor(Stream stream, IReadOnlyList<FeatureColumn> columns, long rows) : IRowCursor
{
    private const int InternedTexts = 1 << 14;

    private readonly BinaryReader _reader = new(stream, Encoding.UTF8, leaveOpen: true);
    private readonly bool[] _present = new bool[columns.Count];
    private readonly long[] _integers = new long[columns.Count];
    private readonly double[] _reals = new double[columns.Count];
    private readonly object?[] _objects = new object?[columns.Count];
    private readonly HashSet<string> _texts = new(StringComparer.Ordinal);
    private long _left = rows;

    public long CommitId => 0;

    public bool IsDeleted => false;

    public bool Read()
    {
        if (_left-- <= 0)
            return false;
        for (var i = 0; i < columns.Count; i++)
        {
            if (!(_present[i] = _reader.ReadBoolean()))
                continue;
            switch (columns[i].Kind)
            {
                case CellKind.Integer: _integers[i] = _reader.ReadInt64(); break;
                case CellKind.Real: _reals[i] = _reader.ReadDouble(); break;
                case CellKind.Text: _objects[i] = Intern(_reader.ReadString()); break;
                default: _objects[i] = _reader.ReadBytes(_reader.Read7BitEncodedInt()); break;
            }
        }
        return true;
    }

    public bool IsNull(int ordinal) => !_present[ordinal];

    public long Integer(int ordinal) => _present[ordinal] ? _integers[ordinal] : 0;

    public double Real(int ordinal) => _present[ordinal] ? _reals[ordinal] : 0;

    public string Text(int ordinal) => _present[ordinal] ? (string)_objects[ordinal]! : "";

    public byte[] Blob(int ordinal) => _present[ordinal] ? (byte[])_objects[ordinal]! : [];

    public void Dispose() => _reader.Dispose();

    private string Intern(string text)
    {
        if (_texts.TryGetValue(text, out var known))
            return known;
        if (_texts.Count < InternedTexts)
            _texts.Add(text);
        return text;
    }
}
