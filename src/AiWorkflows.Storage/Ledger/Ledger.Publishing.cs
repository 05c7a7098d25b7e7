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

    private async Task<PublishResult> TryWinAsync(Publication publication, CancellationToken ct)
    {
        // Nobody sees what a slice has sealed; the publication that shows it is durable, and with it everything before.
        var won = await database.RunAsync(Statements(publication), ct, durable: publication.Kind != PublicationKind.Slice);
        if (won.Stopped == SlicePublishing.Incomplete)
            throw await SlicePublishing.IncompleteAsync(database, publication.Attempt, ct);
        return won.Stopped is { } stopped
            ? new(Enum.Parse<PublishOutcome>(stopped))
            : new(PublishOutcome.Published, won.Get<long>(PublicationClock.Seq), publication.Model is null ? null : won.Get<int>(ModelPublishing.Version),
                publication.Dataset is null ? null : won.Get<long>(ModelPublishing.DatasetId), won.Get<long>(BatchPublishing.Unchanged) == 1);
    }

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

    /// <summary>The whole of winning: the fence first, what becomes visible, and the watermarks last.</summary>
    internal static StatementBatch Statements(Publication publication)
    {
        var batch = new StatementBatch();
        // The fence is an update whose rows are counted: a select before it would be stale by the time of the commit.
        EndStep(batch, publication);
        if (publication.SkipReason is not null)
            PublicationClock.Read(batch);
        else if (publication.Kind == PublicationKind.Slice)
            Seal(batch, publication);
        else
            Publish(batch, publication);
        batch.Do(EndAttempt, Ending(publication.Attempt, "succeeded", null));
        batch.PutRows(InsertLog, Lines(publication.Log));
        return batch;
    }

    private static void Seal(StatementBatch batch, Publication publication)
    {
        if (publication.Commit is { } commit)
            CommitPublishing.Seal(batch, commit);
        if (publication.Batch is { } predictions)
            BatchPublishing.Seal(batch, predictions);
    }

    private static void Publish(StatementBatch batch, Publication publication)
    {
        if (publication.Kind == PublicationKind.AllSlices)
        {
            SlicePublishing.Publish(batch, publication);
            return;
        }
        var (commit, predictions) = (publication.Commit, publication.Batch);
        var trains = publication.Dataset is not null || publication.Model is not null;
        var shows = commit is not null || predictions is not null || trains;
        if (shows)
            PublicationClock.Lock(batch);
        if (commit is not null)
            CommitPublishing.Decide(batch, commit);
        if (predictions is not null)
            BatchPublishing.Decide(batch, predictions);
        if (shows)
            PublicationClock.Take(batch, commit?.CommitId, predictions?.BatchId, always: trains);
        PublicationClock.Read(batch);
        if (commit is not null)
            CommitPublishing.Publish(batch, commit);
        if (publication.Dataset is { } dataset)
            ModelPublishing.Publish(batch, dataset, publication.Attempt);
        if (publication.Model is { } model)
            ModelPublishing.Publish(batch, model, publication.Dataset is not null, publication.Attempt);
        if (publication.Alias is { } alias)
            ModelPublishing.SetAlias(batch, alias.Version > 0 || publication.Model is not null ? alias : throw new ArgumentException("An alias on version 0 needs a model in the same publication."));
        if (predictions is not null)
            BatchPublishing.Publish(batch, predictions);
        if (publication.Coverage is var (window, origin))
            Watermarks.Cover(batch, publication.Attempt, window, origin, commit?.Inputs ?? predictions?.Inputs ?? publication.Dataset?.Inputs ?? []);
    }

    private static void EndStep(StatementBatch batch, Publication publication) => batch.Must($$"""
        UPDATE {workflows.stage_runs} SET state = CASE WHEN @SkipReason IS NULL THEN 'succeeded' ELSE 'skipped' END, reason = @SkipReason, error = NULL, finished_at = {now},
            lease_owner = NULL, lease_until = NULL, rows_read = @RowsRead, rows_written = @RowsWritten, progress_text = @ProgressText,
            progress_done = COALESCE(progress_total, progress_done)
        WHERE {{StillMine}}
        """, new { publication.Attempt.StageRunId, publication.Attempt.Attempt, publication.SkipReason, publication.RowsRead, publication.RowsWritten, publication.ProgressText },
        nameof(PublishOutcome.Fenced));
}
