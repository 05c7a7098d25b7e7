using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>Batches of predictions for tests.</summary>
internal static class Predictions
{
    public const string Pipeline = "scoring";

    public static PredictionRow Row(string key, double hour, double probability) => new($"[\"{key}\"]", Readings.At(hour), probability * 2, probability, null, $"{{\"p\":{probability}}}", key.Length);

    public static async Task<(PublishResult Result, long BatchId)> PublishAsync(TestStore store, Window window, IReadOnlyList<PredictionRow> rows, string hash = "", int version = 1, bool hindsight = false, string role = "champion",
        string view = "v", IReadOnlyList<FeatureInput>? inputs = null)
    {
        var attempt = await store.AttemptAsync(window, Pipeline);
        var request = new BatchRequest(Pipeline, role, "m", version, view, 1, window, 0, hindsight, Readings.Start, attempt, "code");
        await using var writer = await store.Predictions.OpenBatchAsync(request, default);
        await writer.WriteAsync(rows, default);
        var result = await store.Ledger.WinAsync(new(attempt)
        {
            Batch = new BatchSeal(writer.BatchId, request, rows.Count, hash.Length > 0 ? hash : Guid.NewGuid().ToString(), "[]", 0.5, inputs ?? [new FeatureInput("readings", 1, 0, window)], [1, 2, 1]),
        }, default);
        result.Outcome.ShouldBe(PublishOutcome.Published);
        return (result, writer.BatchId);
    }
}
