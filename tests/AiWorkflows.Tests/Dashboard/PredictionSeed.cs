using AiWorkflows.Storage;

namespace AiWorkflows.Tests.Dashboard;

/// <summary>A prediction log filled by hand.</summary>
internal static class PredictionSeed
{
    public const string Bins = """{"from":0,"to":1,"counts":[10,20,30,20,10,5,2,1,1,1,0,0,0,0,0,0,0,0,0,0]}""";

    /// <summary>A published batch with a prediction a minute of its window, keys counted from a number on.</summary>
    public static async Task BatchAsync(WriteTransaction tx, long id, DateTime from, TimeSpan span, int rows, long firstKey = 0, int version = 12, string bins = Bins)
    {
        await tx.ExecuteAsync(
            """
            INSERT INTO {prediction_log.batches} (batch_id, pipeline, role, model, version, feature_view, view_version, window_from, window_to, as_of_seq, predicted_at, state, published_seq, published_at, rows, score_bins, positive_share, run_id, code_version)
            VALUES (@id, 'delay-scoring', 'champion', 'flight-delay', @version, 'delay', 1, @from, @to, 7, @from, 'published', @id, @from, @rows, @bins, 0.25, 10, '4c1e9aa0b7d2c3d4')
            """, new { id, version, from = (Utc)from, to = (Utc)(from + span), rows, bins });
        for (var i = 0; i < rows; i++)
            await tx.ExecuteAsync(
                """
                INSERT INTO {prediction_log.prediction_rows} (batch_id, ordinal, entity_key, event_time, score, probability, label, output, feature_hash)
                VALUES (@id, @i, @key, @at, 0.1, @p, 'true', '{"warn":"<b>yes</b>"}', 0)
                """, new { id, i, key = $"[{firstKey + i}]", at = (Utc)(from + span * i / rows), p = i % 100 / 100d });
    }

    public static Task SupersedeAsync(WriteTransaction tx, long batch, long by, DateTime from, TimeSpan span) => tx.ExecuteAsync(
        "INSERT INTO {prediction_log.superseded} (batch_id, by_batch_id, window_from, window_to) VALUES (@batch, @by, @from, @to)", new { batch, by, from = (Utc)from, to = (Utc)(from + span) });

    public static async Task OnlineAsync(WriteTransaction tx, long id, DateTime from, int rows)
    {
        await tx.ExecuteAsync(
            """
            INSERT INTO {prediction_log.batches} (batch_id, pipeline, role, model, version, feature_view, view_version, window_from, window_to, as_of_seq, predicted_at, state, code_version)
            VALUES (@id, 'delay-scoring', 'champion', 'flight-delay', 12, 'delay', 1, @from, @from, 7, @from, 'online', '4c1e9aa0b7d2c3d4')
            """, new { id, from = (Utc)from });
        for (var i = 0; i < rows; i++)
            await tx.ExecuteAsync(
                """
                INSERT INTO {prediction_log.online_rows} (batch_id, ordinal, item, request_id, entity_key, event_time, predicted_at, as_of_seq, score, probability, output, inputs, features, missing, feature_hash)
                VALUES (@id, @i, 0, @request, @key, @at, @at, 7, 0.1, 0.5, '{}', '{}', '{}', '[]', 0)
                """, new { id, i, request = $"req-{id}-{i}", key = $"[\"online {i}\"]", at = (Utc)from.AddSeconds(i) });
    }

    public static Task MetricAsync(WriteTransaction tx, DateTime day, double value, long predictions, long outcomes, int version = 12) => tx.ExecuteAsync(
        """
        INSERT INTO {prediction_log.metrics} (pipeline, model, version, day, metric, metric_value, predictions, outcomes, computed_at)
        VALUES ('delay-scoring', 'flight-delay', @version, @day, 'auc', @value, @predictions, @outcomes, 0)
        """, new { version, day = (Utc)day, value, predictions, outcomes });
}
