using AiWorkflows.Models;
using Apache.Arrow;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Training;

/// <summary>Walks a range of rows of a dataset. The active columns of a record batch are copied to arrays once, so that a getter is one array access.</summary>
internal sealed class DatasetCursor : DataViewRowCursor
{
    private readonly ExampleSchema _schema;
    private readonly CancellationToken _ct;
    private readonly CursorColumn?[] _columns;
    private readonly IEnumerator<RecordBatch> _batches;
    private readonly long _from;
    private readonly long _to;
    private long _next;
    private long _batchStart;
    private long _batchEnd;
    private long _position = -1;

    public DatasetCursor(DatasetFile file, ExampleSchema schema, long from, long to, HashSet<int> active, CancellationToken ct)
    {
        (_schema, _from, _to, _next, _ct) = (schema, from, to, from, ct);
        _columns = new CursorColumn?[schema.DataView.Count];
        foreach (var index in active)
            _columns[index] = CursorColumn.For(schema, index);
        _batches = file.Batches().GetEnumerator();
    }

    /// <summary>Row within the current record batch; what the getters read.</summary>
    public int Row { get; private set; }

    public override long Position => _position;

    public override long Batch => 0;

    public override DataViewSchema Schema => _schema.DataView;

    public override bool IsColumnActive(DataViewSchema.Column column) => _columns[column.Index] is not null;

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new((ulong)_position, 0);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        var source = _columns[column.Index] ?? throw new InvalidOperationException($"Column {column.Name} is not active in this cursor.");
        return source.Getter(this) as ValueGetter<TValue> ?? throw new InvalidOperationException($"Column {column.Name} is {column.Type}, not {typeof(TValue).Name}.");
    }

    public override bool MoveNext()
    {
        if (_next >= _to)
        {
            _position = -1;
            return false;
        }
        while (_next >= _batchEnd)
            if (!Load())
            {
                _position = -1;
                return false;
            }
        Row = (int)(_next - _batchStart);
        _position = _next++ - _from;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _batches.Dispose();
        base.Dispose(disposing);
    }

    private bool Load()
    {
        _ct.ThrowIfCancellationRequested();
        if (!_batches.MoveNext())
            return false;
        var batch = _batches.Current;
        (_batchStart, _batchEnd) = (_batchEnd, _batchEnd + batch.Length);
        if (_next < _batchEnd)
            foreach (var column in _columns)
                column?.Load(batch);
        return true;
    }
}
