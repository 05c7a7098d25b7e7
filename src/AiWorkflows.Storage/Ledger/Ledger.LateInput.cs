using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    private const string NewerCommits = """
        FROM {workflows.watermarks} m JOIN {feature_store.commits} c ON c.feature_group = m.input AND c.published_seq > m.processed_seq AND c.state = 'published'
        WHERE m.pipeline = @Pipeline AND m.input = @Group AND c.version = @Version
        """;

    public async Task<int> ReopenAsync(string workflow, IReadOnlyList<ReadingPipeline> pipelines, CancellationToken ct)
    {
        var reopened = 0;
        foreach (var pipeline in pipelines)
            if (await HasNewInputAsync(pipeline, ct))
                reopened += await ReopenCellsAsync(workflow, pipeline, ct);
        return reopened;
    }

    private async Task<bool> HasNewInputAsync(ReadingPipeline pipeline, CancellationToken ct)
    {
        foreach (var (group, version) in pipeline.Groups)
            if (await database.ReadFirstAsync<long>($$"""SELECT CASE WHEN EXISTS (SELECT 1 {{NewerCommits}}) THEN 1 ELSE 0 END""", new { pipeline.Pipeline, Group = group, Version = version }, ct) == 1)
                return true;
        return false;
    }

    private Task<int> ReopenCellsAsync(string workflow, ReadingPipeline pipeline, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        await tx.ExecuteAsync("UPDATE {workflows.workflows} SET touch = touch + 1 WHERE workflow = @Workflow", new { Workflow = workflow });
        // Read first: whatever is published up to here is seen by what is read now.
        var seq = await tx.ScalarAsync<long>("SELECT seq FROM {feature_store.publication_clock}");
        var touched = new List<TouchedDay>();
        foreach (var (group, version) in pipeline.Groups)
            touched.AddRange((await tx.ReadAsync<TouchedRow>($$"""
                SELECT b.bucket, MAX(c.published_seq) AS seq
                FROM {workflows.watermarks} m JOIN {feature_store.commits} c ON c.feature_group = m.input AND c.published_seq > m.processed_seq AND c.state = 'published'
                JOIN {feature_store.commit_buckets} b ON b.commit_id = c.commit_id
                WHERE m.pipeline = @Pipeline AND m.input = @Group AND c.version = @Version AND c.published_seq <= @Seq GROUP BY b.bucket
                """, new { pipeline.Pipeline, Group = group, Version = version, Seq = seq })).Select(t => new TouchedDay(t.Bucket, t.Seq)));
        IReadOnlyList<ReopenedCell> cells = [];
        if (touched.Count > 0)
        {
            var reach = new
            {
                pipeline.Pipeline,
                From = (Utc)touched.Min(t => t.Day).AddTicks(-pipeline.Grid.Size.Ticks),
                To = (Utc)(touched.Max(t => t.Day).AddDays(1) + pipeline.Lookback + pipeline.Grid.Size),
            };
            var covered = await tx.ReadAsync<SeenRow>("""
                SELECT window_from, window_to, COALESCE(as_of_seq, published_seq) AS as_of_seq FROM {workflows.coverage}
                WHERE pipeline = @Pipeline AND window_to > @From AND window_from < @To
                """, reach);
            cells = LateInput.Cells([.. covered.Select(c => new SeenWindow(new(c.WindowFrom, c.WindowTo), c.AsOfSeq))], touched, pipeline.Lookback, pipeline.Grid);
        }
        foreach (var cell in cells)
        {
            var row = new { pipeline.Pipeline, From = (Utc)cell.Window.From, To = (Utc)cell.Window.To, cell.Seq };
            if (await tx.ExecuteAsync("UPDATE {workflows.reopened} SET seq = CASE WHEN seq > @Seq THEN seq ELSE @Seq END WHERE pipeline = @Pipeline AND window_from = @From", row) == 0)
                await tx.ExecuteAsync("INSERT INTO {workflows.reopened} (pipeline, window_from, window_to, seq) VALUES (@Pipeline, @From, @To, @Seq)", row);
        }
        foreach (var (group, _) in pipeline.Groups)
            await tx.ExecuteAsync("UPDATE {workflows.watermarks} SET processed_seq = @Seq WHERE pipeline = @Pipeline AND input = @Group", new { pipeline.Pipeline, Group = group, Seq = seq });
        return cells.Count;
    }, ct, durable: false);

    private sealed class TouchedRow
    {
        public Utc Bucket { get; set; }

        public long Seq { get; set; }
    }

    private sealed class SeenRow
    {
        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }

        public long AsOfSeq { get; set; }
    }
}
