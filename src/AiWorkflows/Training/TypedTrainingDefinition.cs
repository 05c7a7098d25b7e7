using System.Diagnostics.CodeAnalysis;
using AiWorkflows.Features;
using AiWorkflows.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Training;

/// <summary>A training pipeline of a known example type.</summary>
internal sealed partial class TypedTrainingDefinition<TExample> : TrainingDefinition where TExample : class
{
    [SetsRequiredMembers]
    public TypedTrainingDefinition(TrainingPipeline<TExample> pipeline, string model, FeatureViewDefinition<TExample> view, ExampleSchema<TExample> schema)
    {
        (Name, Type, ModelName, View) = (pipeline.Name, pipeline.GetType(), model, view);
        (Examples, Schema, Task) = (view, schema, ModelTasks.Of(view.LabelType!));
    }

    private FeatureViewDefinition<TExample> Examples { get; }

    private ExampleSchema<TExample> Schema { get; }

    private ModelTask Task { get; }

    public override async Task<TrainingResult> ExecuteAsync(StageContext context, TrainingStores stores, CancellationToken ct)
    {
        var train = Build(context.Services);
        var split = TrainingSplit.At(context.Window.From, train.History, train.Holdout, View.LabelWithin);
        var session = context.OpenReads(stores.Features);
        var baselines = new Baselines<TExample>(Task, train.Baselines);

        context.Progress.Text = "reading examples";
        var dataset = await DatasetMaterializer.WriteAsync(Examples, Schema, session, split, stores.DatasetDirectory, example =>
        {
            if (example.EventTime >= split.Holdout.From)
                baselines.Add(example);
        }, ct);
        context.Progress.AddWritten(dataset.Rows);
        using var file = new DatasetFile(dataset.Path);
        DatasetView Rows(long from, long to) => new(file, Schema, from, to, ct);
        var training = Rows(0, file.RowsBefore(split.Training.To));
        var holdout = Rows(file.RowsBefore(split.Holdout.From), file.Rows);
        var (trained, held) = (LabelSummary.Of(training, Task), LabelSummary.Of(holdout, Task));
        if (!trained.Suffices(Task) || !held.Suffices(Task))
        {
            file.Dispose();
            if (dataset.IsNew)
                DatasetMaterializer.Delete(dataset.Path);
            throw TooFew(split, trained, held, dataset.UnlabelledRows);
        }
        context.Log.LogInformation("Training on {Training}, judged on {Holdout}; {Unlabelled} examples had no label before {CutOff}",
            trained, held, dataset.UnlabelledRows, Timestamps.Display(split.CutOff));

        context.Progress.Text = "training";
        var fitted = await ModelFitting.FitAsync(train.Estimator!, Schema, training, train.Seed, Type.Name, ct);

        context.Progress.Text = "evaluating";
        var evaluation = ModelEvaluator.Evaluate(fitted.Model, holdout, Task, ModelName);
        var references = baselines.Evaluate(trained, Labels.Read(holdout, Task));
        var best = PromotionRule.Best(Task, references);
        var champion = await ChampionComparer.CompareAsync(
            stores.Registry, ModelName, context.Backfill?.Alias ?? ChampionComparer.Champion, View, holdout, file.RowsBefore, from => Rows(from, file.Rows), fitted.Model, Task, ct);
        var promotion = PromotionRule.Decide(Task, evaluation, best, champion, train.Rule);
        context.Log.LogInformation("{Promotion}", promotion.Sentence);

        if (train.RefitOnAll)
        {
            context.Progress.Text = "training on all examples";
            fitted = await ModelFitting.FitAsync(train.Estimator!, Schema, Rows(0, file.Rows), train.Seed, Type.Name, ct);
        }
        var archive = ModelArchive.Save(fitted.Context, fitted.Model, Schema.DataView);
        var notReproducible = fitted.Parameters.NotReproducible(train.Seed);
        var model = new ModelVersionRecord
        {
            Model = ModelName,
            Pipeline = Name,
            Task = Task.Name(),
            Description = train.Description,
            Trainer = fitted.Parameters.Trainer,
            ParametersJson = fitted.Parameters.ToJson(train.Seed),
            Seed = train.Seed,
            View = View.Name,
            ViewVersion = View.Version,
            ViewFingerprint = View.Fingerprint,
            CutOff = split.CutOff,
            Training = split.Training,
            Holdout = split.Holdout,
            TrainingRows = trained.Rows,
            HoldoutRows = held.Rows,
            Refit = train.RefitOnAll,
            MetricsJson = evaluation.ToJson(),
            BaselineMetricsJson = Baselines<TExample>.ToJson(references),
            ChampionMetricsJson = champion?.Champion?.ToJson(),
            PrimaryMetric = Task.PrimaryMetric(),
            PrimaryValue = Task.Primary(evaluation.Metrics),
            BaselineValue = Task.Primary(best.Evaluation.Metrics),
            SignatureJson = ModelSignature.Of(Schema, Task).ToJson(),
            FeatureImportanceJson = FeatureImportance.ToJson(FeatureImportance.Of(fitted.Model, Schema)),
            ArtifactSha256 = archive.Sha256,
            Artifact = archive.Bytes,
            ContentSha256 = archive.ContentSha256,
            Reproducible = notReproducible is null,
            Reason = notReproducible,
            Promotion = context.Backfill is { } backfill ? $"In {backfill.Alias}: {promotion.Sentence}" : promotion.Sentence,
            RunId = context.Attempt.RunId,
            CodeVersion = context.CodeVersion,
        };
        return new(
            new DatasetRecord
            {
                View = View.Name,
                ViewVersion = View.Version,
                ViewFingerprint = View.Fingerprint,
                Window = split.Spine,
                CutOff = split.CutOff,
                Within = View.LabelWithin,
                AsOfSeq = context.AsOfSeq,
                Rows = dataset.Rows,
                UnlabelledRows = dataset.UnlabelledRows,
                ContentHash = dataset.ContentHash,
                FileName = dataset.FileName,
                FileBytes = dataset.Bytes,
                StatisticsJson = DatasetStatistics.ToJson(file, Schema),
                CodeVersion = context.CodeVersion,
                Inputs = session.Inputs,
                Commits = session.Commits,
            },
            model,
            promotion.Promoted ? new AliasChange(ModelName, context.Backfill?.Alias ?? ChampionComparer.Champion, 0, "training pipeline", promotion.Sentence) : null);
    }

    public override async Task<ReproductionResult> ReproduceAsync(
        ModelVersionRecord version, DatasetRecord dataset, TrainingStores stores, IServiceProvider services, CancellationToken ct)
    {
        var train = Build(services);
        var split = new TrainingSplit(version.CutOff, dataset.Window, version.Training, version.Holdout);
        var session = FeatureReadSession.Again(stores.Features, dataset.AsOfSeq, dataset.Inputs.Select(i => (i.Group, i.Version, i.AsOfSeq)));
        var again = await DatasetMaterializer.WriteTemporaryAsync(Examples, Schema, session, split, stores.DatasetDirectory, null, ct);
        try
        {
            using var file = new DatasetFile(again.Path);
            var rows = version.Refit ? file.Rows : file.RowsBefore(split.Training.To);
            var view = new DatasetView(file, Schema, 0, rows, ct);
            if (!LabelSummary.Of(view, Task).Suffices(Task))
                return new(false, false, version.ContentSha256, "", $"The examples are gone: read as of sequence {dataset.AsOfSeq} there are {again.Rows} of {dataset.Rows}, too few to train.");
            var fitted = await ModelFitting.FitAsync(train.Estimator!, Schema, view, version.Seed, Type.Name, ct);
            var archive = ModelArchive.Save(fitted.Context, fitted.Model, Schema.DataView);
            var (sameData, sameModel) = (again.ContentHash == dataset.ContentHash, archive.ContentSha256 == version.ContentSha256);
            return new(sameData, sameModel, version.ContentSha256, archive.ContentSha256,
                Reproduction.Explain(version, dataset, again, View, sameData, sameModel, fitted.Parameters.ToJson(version.Seed)));
        }
        finally
        {
            DatasetMaterializer.Delete(again.Path);
        }
    }

    private TrainingBuilder<TExample> Build(IServiceProvider services)
    {
        var train = new TrainingBuilder<TExample>();
        ((TrainingPipeline<TExample>)ActivatorUtilities.GetServiceOrCreateInstance(services, Type)).Define(train);
        return train;
    }

    private StageFailedException TooFew(TrainingSplit split, LabelSummary training, LabelSummary holdout, long unlabelled) => new(
        $"{ModelName} cannot be trained at the cut-off {Timestamps.Display(split.CutOff)}: training {split.Training} has {training}, holdout {split.Holdout} has {holdout}, "
        + $"{unlabelled} examples had no label yet; both need {(Task == ModelTask.Regression ? "rows" : "rows of more than one class")}. "
        + "Train at a later window, or lengthen Split(history, holdout).") { NoHistory = true };
}
