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

    private RawStatement? _insert;
    private RawStatement? _owner;

    public void Dispose()
    {
        _insert?.Dispose();
        _owner?.Dispose();
    }

    protected override Task<IReadOnlyList<bool>> TryAppendAsync(IReadOnlyList<IReadOnlyList<OnlineRow>> requests, CancellationToken ct) =>
        database.WriteRawAsync<IReadOnlyList<bool>>(connection => Append(connection, requests), ct, durable: true);

    private bool[] Append(SqliteConnection connection, IReadOnlyList<IReadOnlyList<OnlineRow>> requests)
    {
        _insert ??= new(connection.Handle!, database.Sql(InsertRow));
        _owner ??= new(connection.Handle!, database.Sql(FindOwner));
        var own = new bool[requests.Count];
        using var transaction = connection.BeginTransaction();
        for (var i = 0; i < own.Length; i++)
        {
            // Of two equal requests in one group, the second finds the rows of the first.
            own[i] = requests[i][0].RequestId is not { } id || !IsKnown(id);
            if (own[i])
                foreach (var row in requests[i])
                    Insert(row);
        }
        transaction.Commit();
        database.Activity.Committed(durable: true);
        return own;
    }

    private bool IsKnown(string requestId)
    {
        _owner!.BindText(1, requestId);
        try
        {
            return _owner.Step();
        }
        finally
        {
            _owner.Reset();
        }
    }

    private void Insert(OnlineRow row)
    {
        var insert = _insert!;
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
