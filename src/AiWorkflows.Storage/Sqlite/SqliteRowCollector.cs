using AiWorkflows.Features;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Deletes the rows of a commit slice by slice of event time, along which the table is clustered.</summary>
internal sealed class SqliteRowCollector(SqliteDatabase database) : IRowCollector
{
    private const int RowsPerDelete = 2000;

    public async Task<long> DeleteRowsAsync(string group, int version, string eventTimeColumn, long commitId, Window window, CancellationToken ct)
    {
        var table = SqliteGroupTable.Table(group, version);
        var time = SqliteGroupTable.Quote(eventTimeColumn);
        var (from, to) = (Timestamps.ToMicros(window.From), Timestamps.ToMicros(window.To));
        var total = 0L;
        while (from < to)
        {
            ct.ThrowIfCancellationRequested();
            // One past the row's own time, because many rows may share one.
            var end = (await database.ReadFirstAsync<long?>($"SELECT {time} FROM {table} WHERE {time} >= @From AND {time} < @To AND commit_id = @CommitId ORDER BY {time} LIMIT 1 OFFSET {RowsPerDelete}",
                new { From = from, To = to, CommitId = commitId }, ct) + 1) ?? to;
            var slice = new { From = from, To = end, CommitId = commitId };
            total += await database.WriteAsync(async tx => await tx.ExecuteAsync($"DELETE FROM {table} WHERE {time} >= @From AND {time} < @To AND commit_id = @CommitId", slice), ct, durable: false);
            from = end;
        }
        return total;
    }
}
