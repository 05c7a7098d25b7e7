using AiWorkflows.Features;

namespace AiWorkflows.Storage;

/// <summary>Coverage and the watermark that follows from it.</summary>
internal static class Watermarks
{
    /// <summary>Adds the window to what the pipeline has covered, and moves its watermarks to the end of contiguous coverage.</summary>
    /// <param name="origin">Where coverage counts from. A gap after it holds the watermark, whatever lies behind the gap.</param>
    public static async Task CoverAsync(WriteTransaction tx, AttemptRef attempt, Window window, DateTime origin, IReadOnlyList<FeatureInput> inputs, long seq)
    {
        var cell = new { Pipeline = attempt.Stage, From = (Utc)window.From, To = (Utc)window.To, attempt.RunId, Seq = seq };
        await tx.ExecuteAsync("""
            INSERT INTO {workflows.coverage} (pipeline, window_from, window_to, run_id, published_seq)
            SELECT @Pipeline, @From, @To, @RunId, @Seq
            WHERE NOT EXISTS (SELECT 1 FROM {workflows.coverage} WHERE pipeline = @Pipeline AND window_from = @From AND window_to = @To AND run_id = @RunId)
            """, cell);
        var end = (Utc)origin;
        foreach (var interval in await tx.ReadAsync<Interval>("""
            SELECT DISTINCT window_from, window_to FROM {workflows.coverage} WHERE pipeline = @Pipeline AND window_to > @Origin ORDER BY window_from
            """, new { Pipeline = attempt.Stage, Origin = end }))
        {
            if (interval.WindowFrom > end)
                break;
            end = Utc.Later(end, interval.WindowTo);
        }
        await SetAsync(tx, attempt.Stage, "", end, seq);
        foreach (var input in inputs.GroupBy(i => i.Group, StringComparer.Ordinal))
            await SetAsync(tx, attempt.Stage, input.Key, end, input.Max(i => i.AsOfSeq));
    }

    private static async Task SetAsync(WriteTransaction tx, string pipeline, string input, Utc eventTime, long seq)
    {
        var row = new { Pipeline = pipeline, Input = input, EventTime = eventTime, Seq = seq };
        if (await tx.ExecuteAsync("""
            UPDATE {workflows.watermarks} SET event_time = @EventTime, processed_seq = CASE WHEN processed_seq > @Seq THEN processed_seq ELSE @Seq END
            WHERE pipeline = @Pipeline AND input = @Input
            """, row) == 0)
            await tx.ExecuteAsync("INSERT INTO {workflows.watermarks} (pipeline, input, event_time, processed_seq) VALUES (@Pipeline, @Input, @EventTime, @Seq)", row);
    }

    private sealed class Interval
    {
        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }
    }
}
