using AiWorkflows.Inference;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Online predictions of the embedded engine, through SQLite's statement interface: each is one insert on the way of somebody who waits.</summary>
internal sealed class SqliteOnlineLog(SqliteDatabase database) : OnlineLog(database), IDisposable
{
    private const string InsertRow = """
        INSERT INTO {prediction_log.online_rows} (batch_id, ordinal, request_id, item, answers, entity_key, event_time, predicted_at, as_of_seq, score, probability, label, output, inputs, features, missing, feature_hash)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """;

    private const string FindOwner = "SELECT batch_id, ordinal FROM {prediction_log.online_rows} WHERE request_id = ? AND item = 0";

    private const string ReadSeq = "SELECT seq FROM {feature_store.publication_clock}";

    private Statements? _statements;

    private sealed record Statements(RawStatement Begin, RawStatement Commit, RawStatement Rollback, RawStatement Seq, RawStatement Owner, RawStatement Insert);

    public void Dispose()
    {
        if (_statements is not var (begin, commit, rollback, seq, owner, insert))
            return;
        foreach (var statement in new[] { begin, commit, rollback, seq, owner, insert })
            statement.Dispose();
    }

    protected override Task<IReadOnlyList<Logged>> TryAppendAsync(IReadOnlyList<LogEntry> requests, bool isSecond, CancellationToken ct) =>
        database.WriteRawAsync<IReadOnlyList<Logged>>(connection => Append(connection, requests), ct, durable: true);

    private Logged[] Append(SqliteConnection connection, IReadOnlyList<LogEntry> requests)
    {
        var statements = _statements ??= Prepare(connection.Handle!);
        var logged = new Logged[requests.Count];
        statements.Begin.Execute();
        try
        {
            // Nobody else publishes before this transaction ends.
            var seq = Read(statements.Seq);
            for (var i = 0; i < logged.Length; i++)
            {
                var (rows, isAssumed) = requests[i];
                // Of two equal requests in one group, the second finds the rows of the first.
                logged[i] = rows[0].RequestId is { } id && IsKnown(id) ? Logged.Repeated : isAssumed && rows[0].AsOfSeq != seq ? Logged.Outdated : Logged.Written;
                for (var row = 0; logged[i] == Logged.Written && row < rows.Count; row++)
                    Insert(rows[row]);
            }
            statements.Commit.Execute();
        }
        catch
        {
            // After some errors SQLite has done so already.
            if (SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle!) == 0)
                statements.Rollback.Execute();
            throw;
        }
        database.Activity.Committed(durable: true);
        return logged;
    }

    private Statements Prepare(SQLitePCL.sqlite3 connection)
    {
        RawStatement Of(string sql) => new(connection, database.Sql(sql));
        return new(Of("BEGIN IMMEDIATE"), Of("COMMIT"), Of("ROLLBACK"), Of(ReadSeq), Of(FindOwner), Of(InsertRow));
    }

    private static long Read(RawStatement statement)
    {
        try
        {
            statement.Step();
            return statement.Integer(0);
        }
        finally
        {
            statement.Reset();
        }
    }

    private bool IsKnown(string requestId)
    {
        var owner = _statements!.Owner;
        owner.BindText(1, requestId);
        try
        {
            return owner.Step();
        }
        finally
        {
            owner.Reset();
        }
    }

    private void Insert(OnlineRow row)
    {
        var insert = _statements!.Insert;
        insert.Bind(1, row.BatchId);
        insert.Bind(2, row.Ordinal);
        insert.BindText(3, row.RequestId);
        insert.Bind(4, row.Item);
        if (row.Answers is { } answers)
            insert.Bind(5, answers);
        else
            insert.BindNull(5);
        insert.BindText(6, row.EntityKey);
        insert.Bind(7, Timestamps.ToMicros(row.EventTime));
        insert.Bind(8, Timestamps.ToMicros(row.PredictedAt));
        insert.Bind(9, row.AsOfSeq);
        insert.Bind(10, row.Scored.Score ?? double.NaN);
        insert.Bind(11, row.Scored.Probability ?? double.NaN);
        insert.BindText(12, row.Scored.Label);
        insert.BindText(13, row.Scored.Output);
        insert.BindText(14, row.Inputs);
        insert.BindText(15, row.Scored.Features);
        insert.BindText(16, row.Missing);
        insert.Bind(17, row.Scored.FeatureHash);
        insert.Execute();
    }
}
