using System.Diagnostics.CodeAnalysis;
using AiWorkflows.Features;
using AiWorkflows.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Inference;

/// <summary>A batch inference pipeline of known types.</summary>
internal sealed class TypedInferenceDefinition<TExample, TPrediction> : InferenceDefinition where TExample : class where TPrediction : class
{
    [SetsRequiredMembers]
    public TypedInferenceDefinition(
        BatchInferencePipeline<TExample, TPrediction> pipeline, FeatureViewDefinition<TExample> view, ExampleSchema<TExample> schema)
    {
        (Name, Type, Model, View) = (pipeline.Name, pipeline.GetType(), pipeline.Model, view);
        (Examples, Schema) = (view, schema);
    }

    private FeatureViewDefinition<TExample> Examples { get; }

    private ExampleSchema<TExample> Schema { get; }

    public override async Task<BatchSeal> ExecuteAsync(StageContext context, int modelVersion, InferenceStores stores, CancellationToken ct)
    {
        var version = await stores.Registry.FindVersionAsync(Model, modelVersion, ct)
            ?? throw new StageFailedException($"{Name}: model '{Model}' has no version {modelVersion}; train it, or promote a version that exists.");
        CheckFits(version);
        var task = ModelTasks.Of(View.LabelType!);
        using var scorer = new ModelScorer<TExample>(
            ModelArchive.Load(await stores.Registry.ReadArtifactAsync(version.ArtifactSha256, ct), $"{Model} v{modelVersion}"), Schema, task, $"{Model} v{modelVersion}");
        var window = ScoredWindow(context, version);

        context.Progress.Text = "scoring";
        var session = context.OpenReads(stores.Features);
        await using var reading = Read(session, window, ct).GetAsyncEnumerator(ct);
        var more = await reading.MoveNextAsync();
        // Only now is it known whether there is anything from before the cut-off; rows come in order of time.
        var hindsight = context.Hindsight && more && reading.Current[0].EventTime < version.CutOff;
        var request = new BatchRequest(Name, BatchRoles.Of(context), Model, modelVersion, View.Name, View.Version, window, context.AsOfSeq, hindsight,
            context.Clock.GetUtcNow().UtcDateTime, context.Attempt, context.CodeVersion);
        await using var writer = await stores.Log.OpenBatchAsync(request, ct);
        var pipeline = (BatchInferencePipeline<TExample, TPrediction>)ActivatorUtilities.GetServiceOrCreateInstance(context.Services, Type);
        using var scoring = new BatchScoring<TExample, TPrediction>(pipeline, scorer, Schema, task);
        for (; more; more = await reading.MoveNextAsync())
        {
            var rows = scoring.Score(reading.Current, ct);
            await writer.WriteAsync(rows, ct);
            context.Progress.AddWritten(rows.Count);
        }
        context.Log.LogInformation("Scored {Rows} examples of {Window} with {Model} v{Version}{Hindsight}", scoring.Rows, window, Model, modelVersion, hindsight ? ", in hindsight" : "");
        return new(writer.BatchId, request, scoring.Rows, scoring.FinishHash(), scoring.Bins.ToJson(), scoring.PositiveShare, session.Inputs, session.Commits);
    }

    public override OnlineVersion LoadOnline(ModelVersionRecord version, byte[] artifact, IServiceProvider services)
    {
        CheckFits(version);
        return new OnlineVersion<TExample, TPrediction>(
            this, version, ModelArchive.Load(artifact, $"{Model} v{version.Version}"), Schema, ModelTasks.Of(View.LabelType!), services);
    }

    private async IAsyncEnumerable<IReadOnlyList<Example<TExample>>> Read(
        FeatureReadSession session, Window window, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        if (window.IsEmpty)
            yield break;
        await foreach (var batch in Examples.ReadAsync(session, window, new(Labels: false, LabelsKnownBefore: null, EntityKeys: true), ct))
            if (batch.Count > 0)
                yield return batch;
    }

    /// <summary>What lies before the model's cut-off it may have learnt from: only hindsight scores that.</summary>
    private Window ScoredWindow(StageContext context, ModelVersionRecord version)
    {
        if (context.Hindsight || version.CutOff <= context.Window.From)
            return context.Window;
        var from = version.CutOff < context.Window.To ? version.CutOff : context.Window.To;
        context.Log.LogWarning("Examples before {CutOff} are not scored: {Model} v{Version} was trained on what was known until then; --hindsight scores and flags them",
            Timestamps.Display(version.CutOff), Model, version.Version);
        return new(from, context.Window.To);
    }

    private void CheckFits(ModelVersionRecord version)
    {
        var name = $"{Model} v{version.Version}";
        if (version.View != View.Name || version.ViewVersion != View.Version)
            throw new StageFailedException($"{Name}: {name} was trained on view '{version.View}' version {version.ViewVersion}, but the pipeline reads '{View.Name}' version {View.Version}; train the model on it.");
        if (ModelSignature.FromJson(version.SignatureJson).Mismatch(Schema) is { } mismatch)
            throw new StageFailedException($"{Name}: {name} does not fit view '{View.Name}': {mismatch}. Train the model again.");
        if (version.ViewFingerprint != View.Fingerprint)
            throw new StageFailedException($"{Name}: view '{View.Name}' is defined differently from when {name} was trained on it, so its features mean something else. Train the model again, or restore the definition.");
        if (version.Task != ModelTasks.Of(View.LabelType!).Name())
            throw new StageFailedException($"{Name}: {name} is a {version.Task} model, but the label of view '{View.Name}' asks for {ModelTasks.Of(View.LabelType!).Name()}. Train the model again.");
    }
}
