using AiWorkflows.Features;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>Deletes the rows of a commit slice by slice of event time, along which the table is clustered.</summary>
internal sealed class SqlServerRowCollector(StoreDatabase database) : IRowCollector
{
    /// <summary>Beyond 5,000 a server would think of locking the whole table.</summary>
    private const int RowsPerDelete = 4000;

    public async Task<long> DeleteRowsAsync(string group, int version, string eventTimeColumn, long commitId, Window window, CancellationToken ct)
    {
        var table = SqlServerGroupTable.Table(group, version);
        var time = SqlServerGroupTable.Quote(eventTimeColumn);
        var (from, total) = (window.From, 0L);
        while (from < window.To)
        {
            var last = await database.ReadFirstAsync<Slice>($"""
                SELECT MAX(x.event_time) AS latest FROM (
                    SELECT {time} AS event_time FROM {table} WHERE {time} >= @From AND {time} < @To AND commit_id = @CommitId ORDER BY {time} OFFSET 0 ROWS FETCH NEXT {RowsPerDelete} ROWS ONLY) x
                """, new { From = (Utc)from, To = (Utc)window.To, CommitId = commitId }, ct);
            if (last?.Latest is not { } latest)
                break;
            for (var deleted = RowsPerDelete; deleted == RowsPerDelete; total += deleted)
                deleted = await DeleteSliceAsync(group, version, eventTimeColumn, commitId, from, latest, ct);
            from = latest.Value.AddMicroseconds(1);
        }
        return total;
    }

    /// <summary>Deletes a few thousand rows of a slice that includes its end; fewer when no more are left.</summary>
    public Task<int> DeleteSliceAsync(string group, int version, string eventTimeColumn, long commitId, DateTime from, DateTime latest, CancellationToken ct)
    {
        var (table, time) = (SqlServerGroupTable.Table(group, version), SqlServerGroupTable.Quote(eventTimeColumn));
        return database.WriteAsync(tx => tx.ExecuteAsync(
            $"DELETE TOP ({RowsPerDelete}) FROM {table} WHERE {time} >= @From AND {time} <= @Latest AND commit_id = @CommitId", new { From = (Utc)from, Latest = (Utc)latest, CommitId = commitId }), ct, durable: false);
    }

    private sealed class Slice
    {
        public Utc? Latest { get; set; }
    }
}
