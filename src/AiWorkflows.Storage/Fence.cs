using AiWorkflows.Features;

namespace AiWorkflows.Storage;

/// <summary>What stands between an attempt that has lost its claim and the store.</summary>
internal static class Fence
{
    /// <summary>True for as long as rows may still be written into the commit @Id.</summary>
    public const string CommitIsOpen = """
        SELECT COUNT(*) FROM {feature_store.commits} c {held} JOIN {workflows.stage_runs} s ON s.stage_run_id = c.stage_run_id AND s.attempt = c.attempt
        WHERE c.commit_id = @Id AND c.state = 'writing' AND s.state = 'running'
        """;

    /// <summary>True for as long as rows may still be written into the batch @Id.</summary>
    public const string BatchIsOpen = """
        SELECT COUNT(*) FROM {prediction_log.batches} b {held} JOIN {workflows.stage_runs} s ON s.stage_run_id = b.stage_run_id AND s.attempt = b.attempt
        WHERE b.batch_id = @Id AND b.state = 'writing' AND s.state = 'running'
        """;

    public static FencedException Lost(AttemptRef attempt) =>
        new($"Attempt {attempt.Attempt} of stage {attempt.Stage} (run {attempt.RunId}) has lost its lease or its run has ended; it can write nothing more.");
}
