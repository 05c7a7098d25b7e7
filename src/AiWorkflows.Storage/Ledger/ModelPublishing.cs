using AiWorkflows.Features;
using AiWorkflows.Models;

namespace AiWorkflows.Storage;

/// <summary>What publishing does to datasets, model versions and aliases.</summary>
internal static class ModelPublishing
{
    public static async Task<long> PublishAsync(WriteTransaction tx, DatasetRecord dataset, AttemptRef attempt, PublicationClock clock)
    {
        var (seq, publishedAt) = await clock.TakeAsync();
        var id = await tx.ScalarAsync<long>("""
            INSERT INTO {feature_store.training_datasets} (feature_view, view_version, view_fingerprint, window_from, window_to, cut_off, label_within, as_of_seq, rows, unlabelled_rows, content_hash,
                file_name, file_bytes, statistics_json, run_id, stage_run_id, code_version, published_seq, published_at)
            {inserted:dataset_id}
            VALUES (@View, @ViewVersion, @ViewFingerprint, @From, @To, @CutOff, @Within, @AsOfSeq, @Rows, @UnlabelledRows, @ContentHash,
                @FileName, @FileBytes, @StatisticsJson, @RunId, @StageRunId, @CodeVersion, @Seq, @PublishedAt)
            {returning:dataset_id}
            """, new
        {
            dataset.View,
            dataset.ViewVersion,
            dataset.ViewFingerprint,
            From = (Utc)dataset.Window.From,
            To = (Utc)dataset.Window.To,
            CutOff = (Utc)dataset.CutOff,
            Within = Timestamps.ToMicros(dataset.Within),
            dataset.AsOfSeq,
            dataset.Rows,
            dataset.UnlabelledRows,
            dataset.ContentHash,
            dataset.FileName,
            dataset.FileBytes,
            dataset.StatisticsJson,
            attempt.RunId,
            attempt.StageRunId,
            dataset.CodeVersion,
            Seq = seq,
            PublishedAt = publishedAt,
        });
        await tx.ExecuteAsync("""
            INSERT INTO {feature_store.dataset_inputs} (dataset_id, feature_group, version, as_of_seq, window_from, window_to) VALUES (@Id, @Group, @Version, @AsOfSeq, @From, @To)
            """, CommitPublishing.InputRows(id, dataset.Inputs));
        await tx.ExecuteAsync("INSERT INTO {feature_store.dataset_commits} (dataset_id, commit_id) VALUES (@Id, @CommitId)",
            dataset.Commits.Distinct().Select(c => new { Id = id, CommitId = c }).ToArray());
        return id;
    }

    public static async Task<int> PublishAsync(WriteTransaction tx, ModelVersionRecord model, long datasetId, AttemptRef attempt, PublicationClock clock)
    {
        var (seq, publishedAt) = await clock.TakeAsync();
        var named = new { model.Model, model.Task, model.Description, At = publishedAt };
        if (await tx.ExecuteAsync("UPDATE {model_registry.models} SET task = @Task, description = COALESCE(@Description, description) WHERE model = @Model", named) == 0)
            await tx.ExecuteAsync("INSERT INTO {model_registry.models} (model, task, description, created_at) VALUES (@Model, @Task, @Description, @At)", named);
        if (model.Artifact is { } content)
            await tx.ExecuteAsync("""
                INSERT INTO {model_registry.artifacts} (sha256, bytes, content, created_at)
                SELECT @Sha256, @Bytes, @Content, @At WHERE NOT EXISTS (SELECT 1 FROM {model_registry.artifacts} WHERE sha256 = @Sha256)
                """, new { Sha256 = model.ArtifactSha256, Bytes = content.LongLength, Content = content, At = publishedAt });
        var version = await tx.ScalarAsync<int>("SELECT COALESCE(MAX(version), 0) + 1 FROM {model_registry.versions} WHERE model = @Model", named);
        await tx.ExecuteAsync("""
            INSERT INTO {model_registry.versions} (model, version, pipeline, task, trainer, parameters, seed, dataset_id, feature_view, view_version, view_fingerprint, cut_off,
                training_from, training_to, holdout_from, holdout_to, training_rows, holdout_rows, refit, metrics, baseline_metrics, champion_metrics,
                primary_metric, primary_value, baseline_value, signature, feature_importance, artifact_sha256, content_sha256, reproducible, reason, promotion,
                run_id, stage_run_id, code_version, published_seq, created_at)
            VALUES (@Model, @Version, @Pipeline, @Task, @Trainer, @ParametersJson, @Seed, @DatasetId, @View, @ViewVersion, @ViewFingerprint, @CutOff,
                @TrainingFrom, @TrainingTo, @HoldoutFrom, @HoldoutTo, @TrainingRows, @HoldoutRows, @Refit, @MetricsJson, @BaselineMetricsJson, @ChampionMetricsJson,
                @PrimaryMetric, @PrimaryValue, @BaselineValue, @SignatureJson, @FeatureImportanceJson, @ArtifactSha256, @ContentSha256, @Reproducible, @Reason, @Promotion,
                @RunId, @StageRunId, @CodeVersion, @PublishedSeq, @At)
            """, new
        {
            model.Model,
            Version = version,
            model.Pipeline,
            model.Task,
            model.Trainer,
            model.ParametersJson,
            model.Seed,
            DatasetId = datasetId,
            model.View,
            model.ViewVersion,
            model.ViewFingerprint,
            CutOff = (Utc)model.CutOff,
            TrainingFrom = (Utc)model.Training.From,
            TrainingTo = (Utc)model.Training.To,
            HoldoutFrom = (Utc)model.Holdout.From,
            HoldoutTo = (Utc)model.Holdout.To,
            model.TrainingRows,
            model.HoldoutRows,
            Refit = model.Refit ? 1 : 0,
            model.MetricsJson,
            model.BaselineMetricsJson,
            model.ChampionMetricsJson,
            model.PrimaryMetric,
            model.PrimaryValue,
            model.BaselineValue,
            model.SignatureJson,
            model.FeatureImportanceJson,
            model.ArtifactSha256,
            model.ContentSha256,
            Reproducible = model.Reproducible ? 1 : 0,
            model.Reason,
            model.Promotion,
            attempt.RunId,
            attempt.StageRunId,
            model.CodeVersion,
            PublishedSeq = seq,
            At = publishedAt,
        });
        return version;
    }

    public static async Task SetAliasAsync(WriteTransaction tx, AliasChange change)
    {
        var previous = await tx.ScalarAsync<int?>("SELECT version FROM {model_registry.aliases} WHERE model = @Model AND alias = @Alias", new { change.Model, change.Alias });
        var row = new { change.Model, change.Alias, change.Version, Previous = previous, change.By, change.Reason };
        await tx.ExecuteAsync(previous is null
            ? "INSERT INTO {model_registry.aliases} (model, alias, version, changed_at, changed_by, reason) VALUES (@Model, @Alias, @Version, {now}, @By, @Reason)"
            : "UPDATE {model_registry.aliases} SET version = @Version, changed_at = {now}, changed_by = @By, reason = @Reason WHERE model = @Model AND alias = @Alias", row);
        await tx.ExecuteAsync("""
            INSERT INTO {model_registry.alias_history} (model, alias, version, previous_version, changed_at, changed_by, reason)
            VALUES (@Model, @Alias, @Version, @Previous, {now}, @By, @Reason)
            """, row);
    }
}
