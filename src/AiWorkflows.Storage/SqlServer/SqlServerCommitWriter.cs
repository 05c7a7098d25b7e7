using AiWorkflows.Features;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>Writes the rows of one commit.</summary>
internal sealed class SqlServerCommitWriter : ICommitWriter, ICellSink
{
    private readonly SqlServerDatabase _database;
    private readonly CommitRequest _request;
    private readonly SqlServerBulkWriter _bulk;
    private object[] _row = [];

    public SqlServerCommitWriter(SqlServerDatabase database, CommitRequest request, long commitId, long baseSeq)
    {
        (_database, _request, CommitId, BaseSeq) = (database, request, commitId, baseSeq);
        _bulk = new SqlServerBulkWriter(database, SqlServerGroupTable.Table(request.Group), ColumnsOf(request.Group), Fence.CommitIsOpen, commitId, () => Fence.Lost(request.Attempt));
    }

    /// <summary>What is copied; a static proof holds it against the table.</summary>
    public static (string Name, Type Type)[] ColumnsOf(GroupSchema group) =>
        [.. group.Columns.Select(c => (c.Name, SqlServerCells.TypeOf(c))), ("commit_id", typeof(long)), ("deleted", typeof(bool))];

    public long CommitId { get; }

    public long BaseSeq { get; }

    public Task WriteAsync(IRowBatch rows, CancellationToken ct)
    {
        var commit = _request.Group.Columns.Count;
        return _bulk.WriteAsync(rows.Count, (row, values) =>
        {
            _row = values;
            rows.Bind(row, this);
            (values[commit], values[commit + 1]) = (CommitId, rows.IsDeleted(row));
        }, ct);
    }

    public Task QuarantineAsync(IReadOnlyList<QuarantinedRow> rows, CancellationToken ct) => CommitQuarantine.WriteAsync(_database, CommitId, _request.Attempt, rows, ct);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    void ICellSink.Null(int ordinal) => _row[ordinal] = DBNull.Value;

    void ICellSink.Integer(int ordinal, long value) => _row[ordinal] = SqlServerCells.ToColumn(_request.Group.Columns[ordinal], value);

    void ICellSink.Real(int ordinal, double value) => _row[ordinal] = SqlServerCells.ToColumn(_request.Group.Columns[ordinal], value);

    void ICellSink.Text(int ordinal, string value) => _row[ordinal] = value;

    void ICellSink.Blob(int ordinal, ReadOnlySpan<byte> value) => _row[ordinal] = value.ToArray();
}
