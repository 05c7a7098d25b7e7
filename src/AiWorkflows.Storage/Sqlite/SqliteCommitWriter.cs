using AiWorkflows.Features;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Writes the rows of one commit.</summary>
internal sealed class SqliteCommitWriter : ICommitWriter, ICellSink
{
    private readonly SqliteDatabase _database;
    private readonly CommitRequest _request;
    private readonly SqliteBulkWriter _bulk;
    private RawStatement? _statement;

    public SqliteCommitWriter(SqliteDatabase database, CommitRequest request, long commitId, long baseSeq)
    {
        (_database, _request, CommitId, BaseSeq) = (database, request, commitId, baseSeq);
        _bulk = new SqliteBulkWriter(database, SqliteGroupTable.Insert(request.Group), database.Sql(Fence.CommitIsOpen), commitId, () => Fence.Lost(request.Attempt));
    }

    public long CommitId { get; }

    public long BaseSeq { get; }

    public Task WriteAsync(IRowBatch rows, CancellationToken ct)
    {
        var commitParameter = _request.Group.Columns.Count + 1;
        return _bulk.WriteAsync(rows.Count, (statement, row) =>
        {
            _statement = statement;
            rows.Bind(row, this);
            statement.Bind(commitParameter, CommitId);
            statement.Bind(commitParameter + 1, rows.IsDeleted(row) ? 1 : 0);
        }, ct);
    }

    public Task QuarantineAsync(IReadOnlyList<QuarantinedRow> rows, CancellationToken ct) => CommitQuarantine.WriteAsync(_database, CommitId, _request.Attempt, rows, ct);

    public ValueTask DisposeAsync() => _bulk.DisposeAsync();

    void ICellSink.Null(int ordinal) => _statement!.BindNull(ordinal + 1);

    void ICellSink.Integer(int ordinal, long value) => _statement!.Bind(ordinal + 1, value);

    void ICellSink.Real(int ordinal, double value) => _statement!.Bind(ordinal + 1, value);

    void ICellSink.Text(int ordinal, string value) => _statement!.BindText(ordinal + 1, value);

    void ICellSink.Blob(int ordinal, ReadOnlySpan<byte> value) => _statement!.BindBlob(ordinal + 1, value);
}
