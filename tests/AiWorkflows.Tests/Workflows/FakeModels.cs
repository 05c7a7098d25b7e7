using System.Security.Cryptography;
using System.Text;
using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Training;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Workflows;

/// <summary>Publishes a model of a few bytes, and makes it champion.</summary>
internal sealed class FakeTraining : TrainingDefinition
{
    public override async Task<TrainingResult> ExecuteAsync(StageContext context, TrainingStores stores, CancellationToken ct)
    {
        await context.Services.GetRequiredService<Probe>().EnterAsync("train", context.Window, ct);
        var artifact = Encoding.UTF8.GetBytes($"model of {context.Window.From:O}");
        var sha = Convert.ToHexStringLower(SHA256.HashData(artifact));
        var dataset = new DatasetRecord
        {
            View = View.Name, ViewVersion = View.Version, ViewFingerprint = View.Fingerprint, Window = context.Window.ExtendBack(TimeSpan.FromDays(1)), CutOff = context.Window.From,
            Within = View.LabelWithin, AsOfSeq = context.AsOfSeq, Rows = 1, UnlabelledRows = 0, ContentHash = sha, FileName = $"{sha}.arrow", FileBytes = 1,
            CodeVersion = context.CodeVersion, Inputs = [], Commits = [],
        };
        var model = new ModelVersionRecord
        {
            Model = ModelName, Pipeline = Name, Task = "regression", Trainer = "none", ParametersJson = "{}", View = View.Name, ViewVersion = View.Version,
            ViewFingerprint = View.Fingerprint, CutOff = context.Window.From, Training = dataset.Window, Holdout = dataset.Window, TrainingRows = 1, HoldoutRows = 1,
            MetricsJson = "{}", BaselineMetricsJson = "{}", PrimaryMetric = "mae", PrimaryValue = 1, BaselineValue = 2, SignatureJson = "{}", ArtifactSha256 = sha,
            Artifact = artifact, ContentSha256 = sha, Promotion = "better than the baseline", RunId = context.Attempt.RunId, CodeVersion = context.CodeVersion,
        };
        return new(dataset, model, new(ModelName, context.Backfill?.Alias ?? "champion", 0, Name, "better than the baseline"));
    }

    public override Task<PeriodEvaluation> EvaluateAsync(
        ModelVersionRecord version, IAsyncEnumerable<BacktestedRow> predictions, Window window, FeatureReadSession session, TrainingStores stores, IServiceProvider services, CancellationToken ct) =>
        throw new NotSupportedException();

    public override Task<ReproductionResult> ReproduceAsync(ModelVersionRecord version, DatasetRecord dataset, TrainingStores stores, IServiceProvider services, CancellationToken ct) =>
        throw new NotSupportedException();
}

/// <summary>Logs one prediction per day of its window, at midnight.</summary>
internal sealed class FakeInference : InferenceDefinition
{
    public override OnlineVersion LoadOnline(ModelVersionRecord version, byte[] artifact, IServiceProvider services) => throw new NotSupportedException();

    public override async Task<BatchSeal> ExecuteAsync(StageContext context, int modelVersion, InferenceStores stores, CancellationToken ct)
    {
        await context.Services.GetRequiredService<Probe>().EnterAsync("score", context.Window, ct);
        var request = new BatchRequest(
            Name, "champion", Model, modelVersion, View.Name, View.Version, context.Window, context.AsOfSeq, context.Hindsight, context.Window.From, context.Attempt, context.CodeVersion);
        await using var batch = await stores.Log.OpenBatchAsync(request, ct);
        var midnight = context.Window.From.TimeOfDay == TimeSpan.Zero ? context.Window.From : context.Window.From.Date.AddDays(1);
        var rows = new List<PredictionRow>();
        for (var at = midnight; at < context.Window.To; at = at.AddDays(1))
            rows.Add(new("[\"a\"]", at, at.DayOfYear, null, null, "{}", at.DayOfYear));
        await batch.WriteAsync(rows, ct);
        context.Progress.AddWritten(rows.Count);
        return new(batch.BatchId, request, rows.Count, $"{modelVersion} {context.Window}", "[]", 0, [], []);
    }
}
