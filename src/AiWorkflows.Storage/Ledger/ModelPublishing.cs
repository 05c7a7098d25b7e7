using AiWorkflows.Features;
using AiWorkflows.Models;

namespace AiWorkflows.Storage;

/// <summary>What publishing does to datasets, model versions and aliases.</summary>
internal static class ModelPublishing
{
    public const string DatasetId = "DatasetId";

    public const string Version = "Version";

    public static void Publish(StatementBatch batch, DatasetRecord dataset, AttemptRef attempt)
    {
        batch.PutRow(DatasetId, """
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
        });
        batch.PutRows("INSERT INTO {feature_store.dataset_inputs} (dataset_id, feature_group, version, as_of_seq, window_from, window_to) VALUES (@DatasetId, @Group, @Version, @AsOfSeq, @From, @To)",
            CommitPublishing.InputRows(dataset.Inputs, 0));
        batch.PutRows("INSERT INTO {feature_store.dataset_commits} (dataset_id, commit_id) VALUES (@DatasetId, @CommitId)", dataset.Commits.Distinct().Select(c => new { CommitId = c }).ToArray());
    }

    /// <param name="ofThisBatch">Whether the model was trained on the dataset that the same batch publishes.</param>
    public static void Publish(StatementBatch batch, ModelVersionRecord model, bool ofThisBatch, AttemptRef attempt)
    {
        var named = new { model.Model, model.Task, model.Description };
        batch.Do("UPDATE {model_registry.models} SET task = @Task, description = COALESCE(@Description, description) WHERE model = @Model", named);
        batch.Do("""
            INSERT INTO {model_registry.models} (model, task, description, created_at)
            SELECT @Model, @Task, @Description, @PublishedAt WHERE NOT EXISTS (SELECT 1 FROM {model_registry.models} WHERE model = @Model)
            """, named);
        if (model.Artifact is { } content)
            batch.Do("""
                INSERT INTO {model_registry.artifacts} (sha256, bytes, content, created_at)
                SELECT @Sha256, @Bytes, @Content, @PublishedAt WHERE NOT EXISTS (SELECT 1 FROM {model_registry.artifacts} WHERE sha256 = @Sha256)
                """, new { Sha256 = model.ArtifactSha256, Bytes = content.LongLength, Content = content });
        if (!ofThisBatch)
            batch.Find<long>(DatasetId, "SELECT @Id", new { Id = model.DatasetId });
        batch.Find<int>(Version, "SELECT COALESCE(MAX(version), 0) + 1 FROM {model_registry.versions} WHERE model = @Model", named);
        batch.Do("""
            INSERT INTO {model_registry.versions} (model, version, pipeline, task, trainer, parameters, seed, dataset_id, feature_view, view_version, view_fingerprint, cut_off,
                training_from, training_to, holdout_from, holdout_to, training_rows, holdout_rows, refit, metrics, baseline_metrics, champion_metrics,
                primary_metric, primary_value, baseline_value, signature, feature_importance, artifact_sha256, content_sha256, reproducible, reason, promotion,
                run_id, stage_run_id, code_version, published_seq, created_at)
            VALUES (@Model, @Version, @Pipeline, @Task, @Trainer, @ParametersJson, @Seed, @DatasetId, @View, @ViewVersion, @ViewFingerprint, @CutOff,
                @TrainingFrom, @TrainingTo, @HoldoutFrom, @HoldoutTo, @TrainingRows, @HoldoutRows, @Refit, @MetricsJson, @BaselineMetricsJson, @ChampionMetricsJson,
                @PrimaryMetric, @PrimaryValue, @BaselineValue, @SignatureJson, @FeatureImportanceJson, @ArtifactSha256, @ContentSha256, @Reproducible, @Reason, @Promotion,
                @RunId, @StageRunId, @CodeVersion, @Seq, @PublishedAt)
            """, new
        {
            model.Model,
            model.Pipeline,
            model.Task,
            model.Trainer,
            model.ParametersJson,
            model.Seed,
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
        });
    }

    public static void SetAlias(StatementBatch batch, AliasChange change)
    {
        var alias = new { change.Model, change.Alias, Given = change.Version == 0 ? (int?)null : change.Version, change.By, change.Reason };
        batch.Find<int?>("PreviousVersion", "SELECT version FROM {model_registry.aliases} WHERE model = @Model AND alias = @Alias", alias);
        // Version 0 stands for the version that the same batch gives to the model.
        batch.Find<int>("AliasVersion", change.Version == 0 ? "SELECT @Version" : "SELECT @Given", alias);
        batch.Do("UPDATE {model_registry.aliases} SET version = @AliasVersion, changed_at = {now}, changed_by = @By, reason = @Reason WHERE model = @Model AND alias = @Alias", alias);
        batch.Do("""
            INSERT INTO {model_registry.aliases} (model, alias, version, changed_at, changed_by, reason)
            SELECT @Model, @Alias, @AliasVersion, {now}, @By, @Reason WHERE NOT EXISTS (SELECT 1 FROM {model_registry.aliases} WHERE model = @Model AND alias = @Alias)
            """, alias);
        batch.Do("""
            INSERT INTO {model_registry.alias_history} (model, alias, version, previous_version, changed_at, changed_by, reason)
            VALUES (@Model, @Alias, @AliasVersion, @PreviousVersion, {now}, @By, @Reason)
            """, alias);
    }
}
