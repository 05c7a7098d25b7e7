using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    public async Task<NewData?> NewDataAsync(string workflow, IReadOnlyList<string> groups, CancellationToken ct) => await database.ReadFirstAsync<NewDataRow>("""
        SELECT MAX(c.published_seq) AS seq, MIN(c.published_at) AS first_at, MAX(c.published_at) AS latest_at, {now} AS read_at
        FROM {workflows.workflows} w JOIN {feature_store.commits} c ON c.published_seq > COALESCE(w.data_seq, 0) AND c.state = 'published'
        WHERE w.workflow = @Workflow AND w.paused_at IS NULL AND c.feature_group IN @Groups
        """, new { Workflow = workflow, Groups = groups }, ct) is { Seq: { } seq, FirstAt: { } first, LatestAt: { } latest } row
        ? new(seq, row.ReadAt.Value - first.Value, row.ReadAt.Value - latest.Value)
        : null;

    public Task<(bool Taken, long? RunId)> TakeDataAsync(string workflow, long seq, RunRequest? request, CancellationToken ct) => database.WriteAsync<(bool, long?)>(async tx =>
    {
        var taken = await tx.ExecuteAsync("""
            UPDATE {workflows.workflows} SET data_seq = @Seq WHERE workflow = @Workflow AND paused_at IS NULL AND (data_seq IS NULL OR data_seq < @Seq)
            """, new { Workflow = workflow, Seq = seq });
        if (taken == 0)
        {
            tx.RollBack();
            return (false, null);
        }
        return (true, request is null ? null : await InsertAsync(tx, request));
    }, ct);

    private sealed class NewDataRow
    {
        public long? Seq { get; set; }

        public Utc? FirstAt { get; set; }

        public Utc? LatestAt { get; set; }

        public Utc ReadAt { get; set; }
    }
}
