using AiWorkflows.Models;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Training;

/// <summary>A range of rows of a dataset as ML.NET iterates over it: forward, as often as a trainer likes, without row objects.</summary>
/// <param name="from">First row.</param>
/// <param name="to">First row after the range.</param>
internal sealed class DatasetView(DatasetFile file, ExampleSchema schema, long from, long to, CancellationToken ct) : IDataView
{
    public bool CanShuffle => false;

    public DataViewSchema Schema => schema.DataView;

    public long From => from;

    public long To => to;

    public long Rows => Math.Max(0, to - from);

    public long? GetRowCount() => Rows;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new DatasetCursor(file, schema, from, to, [.. columnsNeeded.Select(c => c.Index)], ct);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];
}
