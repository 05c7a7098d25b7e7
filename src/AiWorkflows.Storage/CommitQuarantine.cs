using AiWorkflows.Features;

namespace AiWorkflows.Storage;

/// <summary>Records what expectations kept out of a commit.</summary>
internal static class CommitQuarantine
{
    private const int RowsPerTransaction = 500;

    public static async Task WriteAsync(StoreDatabase database, long commitId, AttemptRef attempt, IReadOnlyList<QuarantinedRow> rows, CancellationToken ct)
    {
        foreach (var chunk in rows.Chunk(RowsPerTransaction))
            await database.WriteAsync(async tx =>
            {
                if (await tx.ScalarAsync<long>(Fence.CommitIsOpen, new { Id = commitId }) != 1)
                    throw Fence.Lost(attempt);
                await tx.ExecuteAsync("""
                    INSERT INTO {feature_store.quarantine} (commit_id, row_json, rule_name, reason, quarantined_at) VALUES (@CommitId, @RowJson, @Rule, @Reason, {now})
                    """, chunk.Select(r => new { CommitId = commitId, r.RowJson, r.Rule, r.Reason }).ToArray());
            }, ct, durable: false);
    }
}
