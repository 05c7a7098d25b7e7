using AiWorkflows.Features;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>Streams of SQL Server: rows by bulk copy, inside the transaction of the micro-batch.</summary>
internal sealed class SqlServerStreamStore(SqlServerDatabase database) : StreamStore(database)
{
    /// <summary>What is copied; a static proof holds it against the table.</summary>
    public static readonly (string Name, Type Type)[] EventColumns =
    [
        ("stream", typeof(string)), ("partition_no", typeof(int)), ("event_offset", typeof(long)), ("received_at", typeof(DateTime)), ("payload", typeof(string)),
    ];

    protected override Task InsertEventsAsync(WriteTransaction tx, IReadOnlyList<PlacedEvent> events, CancellationToken ct) =>
        SqlServerBulkWriter.CopyAsync(tx, database.Sql("{workflows.stream_events}"), EventColumns, 0, events.Count, (i, values) =>
            (values[0], values[1], values[2], values[3], values[4]) = (events[i].Stream, events[i].Partition, events[i].Offset, events[i].ReceivedAt, events[i].Payload), ct);

    protected override Task InsertRowsAsync(WriteTransaction tx, GroupSchema group, long commitId, IRowBatch rows, CancellationToken ct)
    {
        var cells = new RowCells(group);
        var commit = group.Columns.Count;
        return SqlServerBulkWriter.CopyAsync(tx, SqlServerGroupTable.Table(group), SqlServerCommitWriter.ColumnsOf(group), 0, rows.Count, (i, values) =>
        {
            cells.Row = values;
            rows.Bind(i, cells);
            (values[commit], values[commit + 1]) = (commitId, rows.IsDeleted(i));
        }, ct);
    }

    private sealed class RowCells(GroupSchema group) : ICellSink
    {
        public object[] Row { get; set; } = [];

        public void Null(int ordinal) => Row[ordinal] = DBNull.Value;

        public void Integer(int ordinal, long value) => Row[ordinal] = SqlServerCells.ToColumn(group.Columns[ordinal], value);

        public void Real(int ordinal, double value) => Row[ordinal] = SqlServerCells.ToColumn(group.Columns[ordinal], value);

        public void Text(int ordinal, string value) => Row[ordinal] = value;

        public void Blob(int ordinal, ReadOnlySpan<byte> value) => Row[ordinal] = value.ToArray();
    }
}
