using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using AiWorkflows.Features;

namespace AiWorkflows.Inference;

/// <param name="Pipeline">Null where only one pipeline uses the model.</param>
/// <param name="Version">Which version answers; null for the one that <paramref name="Alias"/> points to.</param>
/// <param name="Alias">Null for the champion, with its challenger's share of the traffic.</param>
/// <param name="RequestId">Asked twice, it is answered and logged once.</param>
internal sealed record OnlineRequest(string Model, string? Pipeline, int? Version, string? Alias, string? RequestId, JsonElement Instances);

/// <summary>One prediction, as it was logged.</summary>
/// <param name="Output">JSON of what <c>Decide</c> returned.</param>
/// <param name="Missing">Joins that found no row, so that what they give is missing.</param>
internal sealed record OnlinePrediction(
    long PredictionId, int Version, string EntityKey, DateTime EventTime, double? Score, double? Probability, string? Label, string Output, IReadOnlyList<string> Missing);

internal sealed record OnlineAnswer(string Model, IReadOnlyList<OnlinePrediction> Predictions);

/// <summary>The model has no champion (or not that alias), so nobody can answer.</summary>
internal sealed class NoVersionException(string message) : AiWorkflowsException(message);

/// <summary>A request id was used for something else before.</summary>
internal sealed class RequestReusedException(string message) : AiWorkflowsException(message);

/// <summary>Answers single requests: features from the store as of now, the model, and a durable log before the answer leaves.</summary>
internal sealed class OnlinePredictor(
    OnlineModels models, OnlineFeatures features, IOnlineLog log, GroupCommit commits, OnlineBatches batches, OnlineOptions options, BusinessClock clock, TimeProvider system)
{
    public const string Shadow = "shadow";
    private const int LongestRequestId = 64;

    /// <exception cref="InvalidRequestException">Unknown model, pipeline or version.</exception>
    /// <exception cref="InstanceException">An instance is wrong.</exception>
    /// <exception cref="NoVersionException">The model has no champion.</exception>
    /// <exception cref="RequestReusedException">The request id was used for other instances.</exception>
    /// <exception cref="OverloadedException">Too much is waiting to be logged, or the log takes nothing.</exception>
    /// <exception cref="AiWorkflowsException">The store is away.</exception>
    public async Task<OnlineAnswer> PredictAsync(OnlineRequest request, CancellationToken ct)
    {
        var pipeline = models.Pipeline(request.Model, request.Pipeline);
        Check(request);
        // Looking something up would hold a thread for as long as the store is waited for, and the host would soon have none left.
        if (log.IsAway)
            throw new AiWorkflowsException("The store does not answer.") { StoreIsAway = true };
        commits.ThrowIfStuck();
        if (request.RequestId is not null && await RepeatedAsync(request, null, ct) is { } repeated)
            return repeated;
        var answers = await AssumedAsync(request, pipeline, ct);
        var logged = answers is null ? Logged.Outdated : await commits.AppendAsync(answers.Entry);
        if (logged == Logged.Outdated)
        {
            // Something was published meanwhile. This time the look-up itself sees what is the newest.
            answers = await AnswersAsync(request, pipeline, isAssumed: false, ct);
            logged = await commits.AppendAsync(answers!.Entry);
        }
        return logged == Logged.Written ? new(request.Model, answers!.Predictions)
            : await RepeatedAsync(request, answers!.Predictions, ct)
            ?? throw new InvalidOperationException($"Request {request.RequestId} is said to be logged, but is not there.");
    }

    /// <summary>What would be answered to a request, and what has to be logged before it may be.</summary>
    private sealed record Answers(LogEntry Entry, IReadOnlyList<OnlinePrediction> Predictions);

    private async ValueTask<Answers?> AssumedAsync(OnlineRequest request, InferenceDefinition pipeline, CancellationToken ct)
    {
        try
        {
            return await AnswersAsync(request, pipeline, isAssumed: true, ct);
        }
        catch (InstanceException)
        {
            // An entity that nothing is known about may have been published since.
            return null;
        }
    }

    /// <param name="isAssumed">Whether to assume that nothing was published since the last look-up.</param>
    /// <returns>Null where that is known not to be so.</returns>
    private async ValueTask<Answers?> AnswersAsync(OnlineRequest request, InferenceDefinition pipeline, bool isAssumed, CancellationToken ct)
    {
        var (champion, challenger, traffic) = await VersionsAsync(pipeline, request, ct);
        var predicted = Timestamps.FromMicros(Timestamps.ToMicros(system.GetUtcNow().UtcDateTime));
        var now = clock.GetUtcNow().UtcDateTime;
        using var lookup = isAssumed ? features.OpenAssumed() : features.Open();
        if (await pipeline.View.ExamplesAsync(lookup, request.Instances, "instances", now, ct) is not { } examples)
            return null;
        var rows = new List<OnlineRow>(examples.Length);
        var answers = new OnlinePrediction[examples.Length];
        for (var item = 0; item < examples.Length; item++)
        {
            var example = examples[item];
            var answering = challenger is not null && !traffic.Shadow && ShareOf(example.EntityKey) < traffic.Share ? challenger : champion;
            var answer = await RowAsync(answering, answering == champion && IsChampion(request) ? OnlineModels.Champion : OnlineModels.Challenger, request.RequestId, item, null, example);
            rows.Add(answer);
            answers[item] = new(answer.PredictionId, answering.Version, answer.EntityKey, answer.EventTime, answer.Scored.Score, answer.Scored.Probability, answer.Scored.Label, answer.Scored.Output, example.Missing);
            if (challenger is not null && traffic.Shadow)
                rows.Add(await RowAsync(challenger, Shadow, null, item, answer.PredictionId, example));
        }
        return new(new(rows, IsAssumed: lookup.Known is not null), answers);

        async ValueTask<OnlineRow> RowAsync(OnlineVersion version, string role, string? requestId, int place, long? instead, OnlineExample example)
        {
            var scored = version.Score(example.Features);
            var (batch, ordinal) = await batches.NextAsync(version, role, ct);
            return new(batch, ordinal, requestId, place, instead, example.EntityKey, example.Moment, predicted, lookup.AsOfSeq, scored, example.Inputs, MissingJson(example.Missing));
        }
    }

    private static bool IsChampion(OnlineRequest request) => request is { Version: null, Alias: null or OnlineModels.Champion };

    private void Check(OnlineRequest request)
    {
        if (request.Version is not null && request.Alias is not null)
            throw new InstanceException("version", "give a version or an alias, not both.");
        if (request.RequestId is { } id && (id.Length is 0 or > LongestRequestId || id.Any(char.IsControl)))
            throw new InstanceException("request_id", $"it has {id.Length} characters; use 1 to {LongestRequestId}, without control characters.");
        if (request.Instances.ValueKind != JsonValueKind.Array)
            throw new InstanceException("instances", "it is no array; write [{…}, …].");
        if (request.Instances.GetArrayLength() is var count && (count == 0 || count > options.MostInstances))
            throw new InstanceException("instances", count == 0 ? "it is empty." : $"it has {count} elements; a request takes at most {options.MostInstances}. Split it, or use batch inference.");
    }

    private async Task<(OnlineVersion Champion, OnlineVersion? Challenger, ChallengerTraffic Traffic)> VersionsAsync(InferenceDefinition pipeline, OnlineRequest request, CancellationToken ct)
    {
        var none = new ChallengerTraffic(false, 0);
        if (request.Version is { } number)
            return (await models.LoadAsync(pipeline, number, ct), null, none);
        var alias = request.Alias ?? OnlineModels.Champion;
        var version = await models.FindAsync(pipeline, alias, ct) ?? throw new NoVersionException(
            $"Model '{pipeline.Model}' has no {alias} that can answer; train one, or set the alias: models alias {pipeline.Model} {alias} VERSION.");
        if (request.Alias is not null || !options.Challengers.TryGetValue(pipeline.Model, out var traffic))
            return (version, null, none);
        var challenger = await models.FindAsync(pipeline, OnlineModels.Challenger, ct);
        return (version, challenger?.Version == version.Version ? null : challenger, traffic);
    }

    /// <summary>What was answered to the request before, if it was.</summary>
    /// <param name="now">What would be answered now, where that is known.</param>
    private async Task<OnlineAnswer?> RepeatedAsync(OnlineRequest request, IReadOnlyList<OnlinePrediction>? now, CancellationToken ct)
    {
        var before = await log.AnsweredAsync(request.RequestId!, ct);
        if (before.Count == 0)
            return null;
        if (before[0].Model != request.Model || before.Count != request.Instances.GetArrayLength() || (now is not null && !before.Select(b => b.EntityKey).SequenceEqual(now.Select(n => n.EntityKey))))
            throw new RequestReusedException($"Request id '{request.RequestId}' was used for another request; give each request an id of its own.");
        return new(request.Model, [.. before.Select(b => new OnlinePrediction(
            b.PredictionId, b.Version, b.EntityKey, b.EventTime, b.Score, b.Probability, b.Label, b.Output, JsonSerializer.Deserialize<string[]>(b.Missing)!))]);
    }

    private static string MissingJson(IReadOnlyList<string> missing) => missing.Count == 0 ? "[]" : JsonSerializer.Serialize(missing);

    /// <summary>Where an entity stands between 0 and 1: the same place in every host and at any time.</summary>
    internal static double ShareOf(string entityKey) => (XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(entityKey)) >> 11) / (double)(1UL << 53);
}
