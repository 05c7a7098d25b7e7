using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    public async Task<PublishResult> WinAsync(Publication publication, CancellationToken ct)
    {
        PublishResult result;
        try
        {
            result = await TryWinAsync(publication, ct);
        }
        catch (CommitUnknownException)
        {
            result = await PublishedAsync(publication, ct) ?? await TryWinAsync(publication, ct);
        }
        if (result.Outcome == PublishOutcome.Conflict && publication.Kind == PublicationKind.AllSlices)
            return await ReopenSlicesAsync(publication.Attempt, ct) ? result : new(PublishOutcome.Fenced);
        if (result.Outcome == PublishOutcome.Conflict)
            await database.WriteAsync(tx => tx.ExecuteAsync(
                "UPDATE {feature_store.commits} SET state = 'discarded' WHERE commit_id = @CommitId AND state = 'writing'", new { publication.Commit!.CommitId }), ct, durable: false);
        return result;
    }

    private Task<PublishResult> TryWinAsync(Publication publication, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var outcome = await PublishAsync(tx, publication);
        if (outcome.Outcome != PublishOutcome.Published)
            tx.RollBack();
        return outcome;
    }, ct);

    /// <summary>What a publication whose commit got no answer has published; null where it has not been committed.</summary>
    private async Task<PublishResult?> PublishedAsync(Publication publication, CancellationToken ct)
    {
        var key = new { publication.Attempt.StageRunId, publication.Attempt.Attempt, CommitId = publication.Commit?.CommitId, BatchId = publication.Batch?.BatchId, publication.Model?.Model };
        if (await database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {workflows.attempts} WHERE stage_run_id = @StageRunId AND attempt = @Attempt AND outcome = 'succeeded'", key, ct) == 0)
            return null;
        var row = await database.ReadFirstAsync<PublishedRow>("""
            SELECT (SELECT published_seq FROM {feature_store.commits} WHERE commit_id = @CommitId) AS commit_seq,
                (SELECT published_seq FROM {prediction_log.batches} WHERE batch_id = @BatchId) AS batch_seq,
                (SELECT MAX(published_seq) FROM {model_registry.versions} WHERE model = @Model AND stage_run_id = @StageRunId) AS version_seq,
                (SELECT MAX(version) FROM {model_registry.versions} WHERE model = @Model AND stage_run_id = @StageRunId) AS version,
                (SELECT MAX(dataset_id) FROM {feature_store.training_datasets} WHERE stage_run_id = @StageRunId) AS dataset_id,
                (SELECT seq FROM {feature_store.publication_clock}) AS current_seq
            """, key, ct);
        return new(PublishOutcome.Published, row!.CommitSeq ?? row.BatchSeq ?? row.VersionSeq ?? row.CurrentSeq,
            publication.Model is null ? null : row.Version, publication.Dataset is null ? null : row.DatasetId, BatchUnchanged: publication.Batch is not null && row.BatchSeq is null);
    }

    private sealed class PublishedRow
    {
        public long? CommitSeq { get; set; }

        public long? BatchSeq { get; set; }

        public long? VersionSeq { get; set; }

        public int? Version { get; set; }

        public long? DatasetId { get; set; }

        public long CurrentSeq { get; set; }
    }

    private static async Task<PublishResult> PublishAsync(WriteTransaction tx, Publication publication)
    {
        // The fence is an update whose rows are counted: a select before it would be stale by the time of the commit.
        if (!await EndStepAsync(tx, publication))
            return new(PublishOutcome.Fenced);
        if (publication.SkipReason is not null)
        {
            await EndAttemptAsync(tx, publication.Attempt, "succeeded", null);
            return new(PublishOutcome.Published, await CurrentSeqAsync(tx));
        }
        var (commit, batch) = (publication.Commit, publication.Batch);
        if (publication.Kind == PublicationKind.Slice)
        {
            if ((commit is not null && !await CommitPublishing.SealAsync(tx, commit)) || (batch is not null && !await BatchPublishing.SealAsync(tx, batch)))
                return new(PublishOutcome.Fenced);
            await EndAttemptAsync(tx, publication.Attempt, "succeeded", null);
            return new(PublishOutcome.Published, await CurrentSeqAsync(tx));
        }
        var clock = new PublicationClock(tx);
        if (commit is not null || batch is not null || publication.Dataset is not null || publication.Model is not null || publication.Kind == PublicationKind.AllSlices)
            await clock.LockAsync();

        var inputs = commit?.Inputs ?? batch?.Inputs ?? publication.Dataset?.Inputs ?? [];
        if (publication.Kind == PublicationKind.AllSlices)
        {
            if (await SlicePublishing.ConflictsAsync(tx, publication.Attempt))
                return new(PublishOutcome.Conflict);
            inputs = await SlicePublishing.InputsAsync(tx, publication.Attempt);
            await SlicePublishing.PublishAsync(tx, publication.Attempt, clock);
        }

        if (commit is not null)
        {
            if (await CommitPublishing.ConflictsAsync(tx, commit))
                return new(PublishOutcome.Conflict);
            if (!await CommitPublishing.PublishAsync(tx, commit, clock))
                return new(PublishOutcome.Fenced);
        }
        var datasetId = publication.Dataset is { } dataset ? await ModelPublishing.PublishAsync(tx, dataset, publication.Attempt, clock) : (long?)null;
        var version = publication.Model is { } model ? await ModelPublishing.PublishAsync(tx, model, datasetId ?? model.DatasetId, publication.Attempt, clock) : (int?)null;
        if (publication.Alias is { } alias)
            await ModelPublishing.SetAliasAsync(tx, alias.Version == 0 ? alias with { Version = version ?? throw new ArgumentException("An alias on version 0 needs a model in the same publication.") } : alias);
        var published = batch is null ? true : await BatchPublishing.PublishAsync(tx, batch, clock);
        if (published is null)
            return new(PublishOutcome.Fenced);

        var seq = clock.Seq ?? await CurrentSeqAsync(tx);
        if (publication.Coverage is var (window, origin))
            await Watermarks.CoverAsync(tx, publication.Attempt, window, origin, inputs, seq);
        await EndAttemptAsync(tx, publication.Attempt, "succeeded", null);
        return new(PublishOutcome.Published, seq, version, datasetId, BatchUnchanged: published == false);
    }

    private static async Task<bool> EndStepAsync(WriteTransaction tx, Publication publication) => await tx.ExecuteAsync($$"""
        UPDATE {workflows.stage_runs} SET state = CASE WHEN @SkipReason IS NULL THEN 'succeeded' ELSE 'skipped' END, reason = @SkipReason, error = NULL, finished_at = {now},
            lease_owner = NULL, lease_until = NULL, rows_read = @RowsRead, rows_written = @RowsWritten, progress_text = @ProgressText,
            progress_done = COALESCE(progress_total, progress_done)
        WHERE {{StillMine}}
        """, new { publication.Attempt.StageRunId, publication.Attempt.Attempt, publication.SkipReason, publication.RowsRead, publication.RowsWritten, publication.ProgressText }) == 1;

    private static Task<long> CurrentSeqAsync(WriteTransaction tx) => tx.ScalarAsync<long>("SELECT seq FROM {feature_store.publication_clock}");
}
