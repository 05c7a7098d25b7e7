using AiWorkflows.Features;
using AiWorkflows.Models;
using AiWorkflows.Training;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace AiWorkflows.Tests.Training;

/// <summary>What a stage needs to run in a test: a folder of its own, a registry in memory.</summary>
internal sealed class Stage : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("aiworkflows-").FullName;

    public IServiceProvider Services { get; } = new ServiceCollection().BuildServiceProvider();

    public MemoryRegistry Registry { get; } = new();

    public TrainingStores Stores => new(null!, Registry, Folder);

    public StageContext Context(DateTime from, DateTime to, bool hindsight = false, long asOfSeq = 42) => new()
    {
        Attempt = new(1, 2, 1, "trip-training"),
        Workflow = "trips",
        Window = new(from, to),
        AsOfSeq = asOfSeq,
        Hindsight = hindsight,
        CodeVersion = "test",
        Services = Services,
        Clock = new FakeTimeProvider(new(to, TimeSpan.Zero)),
        Progress = new(),
        Log = NullLogger.Instance,
    };

    public static FeatureReadSession Session() => new(null!, 42);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

/// <summary>A registry in memory; publishing is what the ledger does otherwise.</summary>
internal sealed class MemoryRegistry : IModelRegistry
{
    private readonly List<ModelVersionRecord> _versions = [];
    private readonly Dictionary<(string, string), AliasRecord> _aliases = [];
    private readonly List<AliasChange> _history = [];

    public IReadOnlyList<AliasChange> History => _history;

    /// <summary>Publishes what a training stage returned; returns the version.</summary>
    public int Publish(TrainingResult result)
    {
        var version = _versions.Count(v => v.Model == result.Model.Model) + 1;
        _versions.Add(result.Model with { Version = version });
        if (result.Alias is { } alias)
            Set(alias with { Version = version });
        return version;
    }

    public Task<ModelVersionRecord?> FindVersionAsync(string model, int version, CancellationToken ct) =>
        Task.FromResult(_versions.Find(v => v.Model == model && v.Version == version));

    public Task<IReadOnlyList<ModelPointer>> PointersAsync(CancellationToken ct) => Task.FromResult<IReadOnlyList<ModelPointer>>(
        [.. _aliases.Values.Select(a => new ModelPointer(a.Model, a.Alias, a.Version)), .. _versions.GroupBy(v => v.Model).Select(g => new ModelPointer(g.Key, null, g.Max(v => v.Version)))]);

    public Task<AliasRecord?> FindAliasAsync(string model, string alias, CancellationToken ct) => Task.FromResult(_aliases.GetValueOrDefault((model, alias)));

    public Task<DatasetRecord?> FindDatasetAsync(long datasetId, CancellationToken ct) => throw new NotSupportedException();

    public Task SetAliasAsync(AliasChange change, CancellationToken ct)
    {
        Set(change);
        return Task.CompletedTask;
    }

    public Task<int?> PreviousVersionAsync(string model, string alias, CancellationToken ct) =>
        Task.FromResult(_history.Where(h => h.Model == model && h.Alias == alias).Reverse().Skip(1).Select(h => (int?)h.Version).FirstOrDefault());

    public Task<byte[]> ReadArtifactAsync(string sha256, CancellationToken ct) => Task.FromResult(_versions.First(v => v.ArtifactSha256 == sha256).Artifact!);

    public Task<bool> ModelExistsAsync(string model, CancellationToken ct) => Task.FromResult(_versions.Exists(v => v.Model == model));

    private void Set(AliasChange change)
    {
        _history.Add(change);
        _aliases[(change.Model, change.Alias)] = new(change.Model, change.Alias, change.Version, Trips.Start, change.By, change.Reason);
    }
}
