using AiWorkflows.Features;

namespace AiWorkflows.Storage;

/// <summary>Coverage and the watermark that follows from it.</summary>
internal static class Watermarks
{
    /// <summary>Selects how far windows, called w, reach without a gap, beginning at c.window_from; what follows names them, and closes a parenthesis.</summary>
    public const string Reach = """
        CASE WHEN MIN(x.window_from) <= c.window_from THEN MIN(CASE WHEN x.next_from IS NULL OR x.next_from > x.reached THEN x.reached END) ELSE c.window_from END
        FROM (SELECT w.window_from, MAX(w.window_to) OVER (ORDER BY w.window_from, w.window_to ROWS UNBOUNDED PRECEDING) AS reached,
            LEAD(w.window_from) OVER (ORDER BY w.window_from, w.window_to) AS next_from
        """;

    private const string End = "WatermarkEnd";

    /// <summary>Adds the window to what the pipeline has covered, and moves its watermarks to the end of contiguous coverage.</summary>
    /// <param name="origin">Where coverage counts from. A gap after it holds the watermark, whatever lies behind the gap.</param>
    public static void Cover(StatementBatch batch, AttemptRef attempt, Window window, DateTime origin, IReadOnlyList<FeatureInput> inputs)
    {
        var cell = new { Pipeline = attempt.Stage, From = (Utc)window.From, To = (Utc)window.To, attempt.RunId, AsOf = inputs.Count > 0 ? inputs.Min(i => i.AsOfSeq) : (long?)null };
        batch.Do("""
            INSERT INTO {workflows.coverage} (pipeline, window_from, window_to, run_id, published_seq, as_of_seq)
            SELECT @Pipeline, @From, @To, @RunId, @Seq, COALESCE(@AsOf, @Seq)
            WHERE NOT EXISTS (SELECT 1 FROM {workflows.coverage} WHERE pipeline = @Pipeline AND window_from = @From AND window_to = @To AND run_id = @RunId)
            """, cell);
        batch.Do("DELETE FROM {workflows.reopened} WHERE pipeline = @Pipeline AND window_from >= @From AND window_to <= @To AND seq <= COALESCE(@AsOf, @Seq)", cell);
        batch.Find<Utc>(End, $$"""
            SELECT (SELECT {{Reach}}
                FROM {workflows.coverage} w WHERE w.pipeline = @Pipeline AND w.window_to > c.window_from) x) FROM (SELECT @From AS window_from) c
            """, new { Pipeline = attempt.Stage, From = (Utc)origin });
        Move(batch, attempt.Stage, "", null);
        foreach (var input in inputs.GroupBy(i => i.Group, StringComparer.Ordinal))
            Move(batch, attempt.Stage, input.Key, input.Min(i => i.AsOfSeq));
    }

    /// <summary>
    /// Of its own output a pipeline has the latest sequence. Of an input it has the one up to which every commit has been compared with what is covered (see <see cref="Ledger.ReopenAsync"/>):
    /// a cell that was read as of an earlier one has to be compared again.
    /// </summary>
    /// <param name="readSeq">The sequence as of which the input was read; null for the pipeline's own output.</param>
    private static void Move(StatementBatch batch, string pipeline, string input, long? readSeq)
    {
        var row = new { Pipeline = pipeline, Input = input, ReadSeq = readSeq };
        batch.Do("""
            UPDATE {workflows.watermarks} SET event_time = @WatermarkEnd, processed_seq = CASE
                WHEN @ReadSeq IS NOT NULL THEN CASE WHEN processed_seq < @ReadSeq THEN processed_seq ELSE @ReadSeq END
                WHEN processed_seq > @Seq THEN processed_seq ELSE @Seq END
            WHERE pipeline = @Pipeline AND input = @Input
            """, row);
        batch.Do("""
            INSERT INTO {workflows.watermarks} (pipeline, input, event_time, processed_seq)
            SELECT @Pipeline, @Input, @WatermarkEnd, COALESCE(@ReadSeq, @Seq)
            WHERE NOT EXISTS (SELECT 1 FROM {workflows.watermarks} WHERE pipeline = @Pipeline AND input = @Input)
            """, row);
    }
}
