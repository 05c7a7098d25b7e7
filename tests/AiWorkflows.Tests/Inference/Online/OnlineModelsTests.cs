using System.Diagnostics;
using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace AiWorkflows.Tests.Inference.Online;

/// <summary>Champions followed in a registry of which every statement takes 50 ms, and whose models take long to load.</summary>
public sealed class OnlineModelsTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_promotion_and_a_roll_back_are_followed_within_two_seconds_however_long_the_version_takes_to_load()
    {
        var registry = new SlowRegistry { Champion = 1, Newest = 1 };
        using var models = Models(registry, out var pipeline);
        using var stop = new CancellationTokenSource();
        var watching = models.WatchAsync(stop.Token);
        (await models.FindAsync(pipeline, "champion", Ct))!.Version.ShouldBe(1);
        registry.Newest = 2;
        await UntilAsync(() => pipeline.Loaded.Contains(2));
        foreach (var version in new[] { 2, 1, 2, 1 })
        {
            registry.Champion = version;
            var changed = Stopwatch.GetTimestamp();
            while ((await models.FindAsync(pipeline, "champion", Ct))!.Version != version)
                await Task.Delay(5, Ct);
            Stopwatch.GetElapsedTime(changed).ShouldBeLessThan(TimeSpan.FromSeconds(2));
        }
        pipeline.Loaded.ShouldBe([1, 2]);
        await stop.CancelAsync();
        await watching;
    }

    [Fact]
    public async Task While_a_version_is_being_loaded_the_one_before_answers_and_nobody_waits()
    {
        var registry = new SlowRegistry { Champion = 1, Newest = 1 };
        using var models = Models(registry, out var pipeline);
        using var stop = new CancellationTokenSource();
        var watching = models.WatchAsync(stop.Token);
        (await models.FindAsync(pipeline, "champion", Ct))!.Version.ShouldBe(1);
        pipeline.Gate = new();
        (registry.Champion, registry.Newest) = (2, 2);
        await UntilAsync(() => pipeline.Begun.Contains(2));
        // Several looks later.
        var looks = registry.Looks;
        await UntilAsync(() => registry.Looks > looks + 2);
        var find = models.FindAsync(pipeline, "champion", Ct);
        find.IsCompletedSuccessfully.ShouldBeTrue();
        (await find)!.Version.ShouldBe(1);
        pipeline.Gate.SetResult();
        await UntilAsync(() => models.FindAsync(pipeline, "champion", Ct) is { IsCompletedSuccessfully: true } found && found.Result!.Version == 2);
        await stop.CancelAsync();
        await watching;
    }

    private static OnlineModels Models(SlowRegistry registry, out SlowPipeline pipeline)
    {
        pipeline = new SlowPipeline { Name = "scoring", Model = "m", Type = typeof(object), View = null! };
        return new([pipeline], new(10, 10, "code", new Dictionary<string, ChallengerTraffic>(), []), registry, new ServiceCollection().BuildServiceProvider(), NullLogger<OnlineModels>.Instance);
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds())
            await Task.Delay(5, patience.Token);
    }

    private sealed class SlowPipeline : InferenceDefinition
    {
        public TaskCompletionSource? Gate { get; set; }

        public System.Collections.Concurrent.ConcurrentQueue<int> Begun { get; } = [];

        public System.Collections.Concurrent.ConcurrentQueue<int> Loaded { get; } = [];

        public override Task<BatchSeal> ExecuteAsync(StageContext context, int modelVersion, InferenceStores stores, CancellationToken ct) => throw new NotSupportedException();

        public override OnlineVersion LoadOnline(ModelVersionRecord version, byte[] artifact, IServiceProvider services)
        {
            Begun.Enqueue(version.Version);
            Gate?.Task.GetAwaiter().GetResult();
            Loaded.Enqueue(version.Version);
            return new SlowVersion(this, version);
        }
    }

    private sealed class SlowVersion(InferenceDefinition pipeline, ModelVersionRecord version) : OnlineVersion(pipeline, version)
    {
        public override ScoredExample Score(object example) => throw new NotSupportedException();
    }

    private sealed class SlowRegistry : IModelRegistry
    {
        private static readonly TimeSpan Statement = TimeSpan.FromMilliseconds(50);

        public volatile int Champion;

        public volatile int Newest;

        public volatile int Looks;

        public async Task<IReadOnlyList<ModelPointer>> PointersAsync(CancellationToken ct)
        {
            await Task.Delay(Statement, ct);
            Looks++;
            return [new("m", "champion", Champion), new("m", null, Newest)];
        }

        public async Task<ModelVersionRecord?> FindVersionAsync(string model, int version, CancellationToken ct)
        {
            await Task.Delay(Statement, ct);
            return new()
            {
                Model = model, Version = version, Pipeline = "p", Task = "binary", Trainer = "none", ParametersJson = "{}", View = "v", ViewVersion = 1, ViewFingerprint = "", CutOff = default,
                Training = default, Holdout = default, TrainingRows = 1, HoldoutRows = 1, MetricsJson = "{}", BaselineMetricsJson = "{}", PrimaryMetric = "auc", PrimaryValue = 1, BaselineValue = 0,
                SignatureJson = "{}", ArtifactSha256 = "", ContentSha256 = "", Promotion = "", CodeVersion = "code",
            };
        }

        public async Task<byte[]> ReadArtifactAsync(string sha256, CancellationToken ct)
        {
            await Task.Delay(Statement, ct);
            return [];
        }

        public Task<AliasRecord?> FindAliasAsync(string model, string alias, CancellationToken ct) => throw new NotSupportedException();

        public Task<DatasetRecord?> FindDatasetAsync(long datasetId, CancellationToken ct) => throw new NotSupportedException();

        public Task SetAliasAsync(AliasChange change, CancellationToken ct) => throw new NotSupportedException();

        public Task<int?> PreviousVersionAsync(string model, string alias, CancellationToken ct) => throw new NotSupportedException();

        public Task<bool> ModelExistsAsync(string model, CancellationToken ct) => throw new NotSupportedException();
    }
}
