using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Tests.Training;

namespace AiWorkflows.Tests.Inference;

internal enum Advice { Relax, Hurry }

internal sealed record TripPrediction(float Probability, Advice WhatToDo, double MinutesSpare);

internal class TripScoring : BatchInferencePipeline<TripExample, TripPrediction>
{
    public override string Model => "trip-delay";

    public override TripPrediction Decide(TripExample example, Score score) => new(score.Probability, score.Probability > 0.5f ? Advice.Hurry : Advice.Relax, example.Gap ?? double.NaN);
}

/// <summary>A trained model in a registry, and what scores with it.</summary>
internal sealed class TrainedTrips : IDisposable
{
    public static readonly DateTime CutOff = TripDefinitions.CutOff;

    private TrainedTrips(List<Example<TripExample>> trips)
    {
        Trips = trips;
        View = TripDefinitions.View(trips);
    }

    public Stage Stage { get; } = new();

    public List<Example<TripExample>> Trips { get; }

    public ListView<TripExample> View { get; }

    public MemoryLog Log { get; } = new();

    public InferenceStores Stores => new(null!, Stage.Registry, Log);

    public static async Task<TrainedTrips> CreateAsync()
    {
        var trained = new TrainedTrips(Training.Trips.Make(TripDefinitions.Rows));
        await trained.TrainAsync();
        return trained;
    }

    public async Task<int> TrainAsync() => Stage.Registry.Publish(await TripDefinitions.Training<TripTraining>(View, Stage)
        .ExecuteAsync(Stage.Context(CutOff, CutOff.AddDays(1)), Stage.Stores, default));

    public InferenceDefinition Scoring(FeatureViewDefinition? view = null)
    {
        var errors = new List<string>();
        var definition = InferenceDefinitions.TryCreate(typeof(TripScoring), [view ?? View], Stage.Services, errors);
        errors.ShouldBeEmpty();
        return definition!;
    }

    public Task<BatchSeal> ScoreAsync(DateTime from, DateTime to, bool hindsight = false, FeatureViewDefinition? view = null, int version = 1) =>
        Scoring(view).ExecuteAsync(Stage.Context(from, to, hindsight), version, Stores, default);

    public void Dispose() => Stage.Dispose();
}
