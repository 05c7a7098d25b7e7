using AiWorkflows.Features;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Streams of the embedded engine: rows through SQLite's statement interface, inside the transaction of the micro-batch.</summary>
internal sealed class SqliteStreamStore(SqliteDatabase database) : StreamStore(database)
{
    private const string InsertEvent = "INSERT INTO {workflows.stream_events} (stream, partition_no, event_offset, received_at, payload) VALUES (?, ?, ?, ?, ?)";

    protected override Task InsertEventsAsync(WriteTransaction tx, IReadOnlyList<PlacedEvent> events, CancellationToken ct)
    {
        using var insert = new RawStatement(((SqliteConnection)tx.Connection).Handle!, database.Sql(InsertEvent));
        foreach (var e in events)
        {
            insert.BindText(1, e.Stream);
            insert.Bind(2, e.Partition);
            insert.Bind(3, e.Offset);
            insert.Bind(4, Timestamps.ToMicros(e.ReceivedAt));
            insert.BindText(5, e.Payload);
            insert.Execute();
        }
        return Task.CompletedTask;
    }

    protected override Task InsertRowsAsync(WriteTransaction tx, GroupSchema group, long commitId, IRowBatch rows, CancellationToken ct)
    {
        using var insert = new RawStatement(((SqliteConnection)tx.Connection).Handle!, SqliteGroupTable.Insert(group));
        var cells = new SqliteCells(insert);
        var commit = group.Columns.Count + 1;
        for (var row = 0; row < rows.Count; row++)
        {
            rows.Bind(row, cells);
            insert.Bind(commit, commitId);
            insert.Bind(commit + 1, rows.IsDeleted(row) ? 1 : 0);
            insert.Execute();
        }
        return Task.CompletedTask;
    }

    private sealed class SqliteCells(RawStatement statement) : ICellSink
    {
        public void Null(int ordinal) => statement.BindNull(ordinal + 1);

        public void Integer(int ordinal, long value) => statement.Bind(ordinal + 1, value);

        public void Real(int ordinal, double value) => statement.Bind(ordinal + 1, value);

        public void Text(int ordinal, string value) => statement.BindText(ordinal + 1, value);

        public void Blob(int ordinal, ReadOnlySpan<byte> value) => statement.BindBlob(ordinal + 1, value);
    }
}
