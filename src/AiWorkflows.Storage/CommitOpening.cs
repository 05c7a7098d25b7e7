using AiWorkflows.Features;

namespace AiWorkflows.Storage;

/// <summary>Opens a commit, in a transaction of its own or in the one of the claim.</summary>
internal static class CommitOpening
{
    /// <returns>Null where the attempt does not run any more.</returns>
    public static async Task<OpenedCommit?> InsertAsync(WriteTransaction tx, CommitShape shape, AttemptRef attempt, string codeVersion) => await tx.FirstAsync<OpenedRow>("""
        INSERT INTO {feature_store.commits} (feature_group, version, kind, window_from, window_to, base_seq, run_id, stage, stage_run_id, attempt, state, created_at, code_version)
        {inserted:commit_id, base_seq}
        SELECT @Group, @Version, @Kind, @From, @To, c.seq, s.run_id, s.stage, s.stage_run_id, s.attempt, 'writing', {now}, @CodeVersion
        FROM {workflows.stage_runs} s CROSS JOIN {feature_store.publication_clock} c
        WHERE s.stage_run_id = @StageRunId AND s.attempt = @Attempt AND s.state = 'running'
        {returning:commit_id, base_seq}
        """, new
    {
        Group = shape.Group.Name,
        shape.Group.Version,
        Kind = shape.Kind == CommitKind.Replace ? "replace" : "patch",
        From = (Utc)shape.Window.From,
        To = (Utc)shape.Window.To,
        CodeVersion = codeVersion,
        attempt.StageRunId,
        attempt.Attempt,
    }) is { } row ? new(row.CommitId, row.BaseSeq) : null;

    private sealed class OpenedRow
    {
        public long CommitId { get; set; }

        public long BaseSeq { get; set; }
    }
}
