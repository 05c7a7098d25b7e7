using System.Collections.Concurrent;
using AiWorkflows.Models;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Inference;

/// <summary>
/// The models that this host answers with. Aliases are looked up again and again; a version that one points to is loaded before requests see the alias move, so a
/// promotion or a roll-back neither fails a request nor lets one wait for the loading. The newest version is loaded as soon as it is there, for it is promoted next.
/// </summary>
internal sealed class OnlineModels(
    IReadOnlyList<InferenceDefinition> pipelines, OnlineOptions options, IModelRegistry registry, IServiceProvider services, ILogger<OnlineModels> log) : IDisposable
{
    /// <summary>How old an alias may be when a request uses it.</summary>
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(0.5);

    /// <summary>Versions that were asked for by number and are kept loaded beside those that aliases point to.</summary>
    private const int MostOthers = 4;

    public const string Champion = "champion";
    public const string Challenger = "challenger";

    private readonly ConcurrentDictionary<(string Pipeline, int Version), Task<OnlineVersion>> _loaded = [];
    /// <summary>Newest versions that were loaded once, whether they could be or not.</summary>
    private readonly HashSet<(string Pipeline, int Version)> _prepared = [];
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private IReadOnlyDictionary<(string Model, string Alias), int>? _aliases;
    private Dictionary<(string, int), string> _broken = [];

    public void Dispose() => _refreshing.Dispose();

    /// <summary>Whether every champion that a pipeline of this host needs is loaded; else what is not.</summary>
    public string? WhyNotReady()
    {
        if (Volatile.Read(ref _aliases) is not { } aliases)
            return "the champions are being loaded";
        foreach (var pipeline in pipelines)
            if (aliases.TryGetValue((pipeline.Model, Champion), out var version) && _broken.TryGetValue((pipeline.Name, version), out var problem))
                return problem;
        return options.Required.FirstOrDefault(model => !aliases.ContainsKey((model, Champion))) is { } missing ? $"model {missing} has no champion" : null;
    }

    /// <summary>Models of this host that have no champion, so that nobody answers for them.</summary>
    public IReadOnlyList<string> WithoutChampion() =>
        Volatile.Read(ref _aliases) is { } aliases ? [.. Models.Where(model => !aliases.ContainsKey((model, Champion)))] : [];

    /// <summary>Refuses settings of models that no pipeline of this host uses.</summary>
    /// <exception cref="InvalidRequestException">There are such.</exception>
    public void CheckSettings()
    {
        foreach (var (setting, model) in options.Required.Select(m => ("RequiredModels", m)).Concat(options.Challengers.Keys.Select(m => ("Challengers", m))))
            if (!Models.Contains(model))
                throw new InvalidRequestException($"AiWorkflows:Online:{setting}: {NearMatches.Unknown("model", model, Models).Message}");
    }

    public IEnumerable<string> Models => pipelines.Select(p => p.Model).Distinct();

    /// <exception cref="InvalidRequestException">No pipeline of this host uses the model, or several do and none is named.</exception>
    public InferenceDefinition Pipeline(string model, string? pipeline)
    {
        var those = pipelines.Where(p => p.Model == model).ToArray();
        if (those.Length == 0)
            throw NearMatches.Unknown("model", model, Models);
        if (pipeline is not null)
            return those.FirstOrDefault(p => p.Name == pipeline) ?? throw NearMatches.Unknown($"inference pipeline of {model}", pipeline, those.Select(p => p.Name));
        return those.Length == 1 ? those[0] : throw new InvalidRequestException(
            $"{string.Join(" and ", those.Select(p => p.Name))} use model '{model}' and may decide differently; say which with ?pipeline=.");
    }

    /// <summary>The version that an alias points to; null where it points nowhere, or to one that cannot be loaded.</summary>
    public async Task<OnlineVersion?> FindAsync(InferenceDefinition pipeline, string alias, CancellationToken ct)
    {
        var aliases = Volatile.Read(ref _aliases) ?? await RefreshAsync(ct);
        return aliases.TryGetValue((pipeline.Model, alias), out var version) && !_broken.ContainsKey((pipeline.Name, version)) ? await LoadAsync(pipeline, version, ct) : null;
    }

    /// <exception cref="InvalidRequestException">There is no such version.</exception>
    /// <exception cref="StageFailedException">It does not fit the view, or cannot be loaded.</exception>
    public async Task<OnlineVersion> LoadAsync(InferenceDefinition pipeline, int version, CancellationToken ct)
    {
        var loading = Loading(pipeline, version);
        try
        {
            return await loading.WaitAsync(ct);
        }
        catch (Exception) when (loading.IsFaulted)
        {
            // The next request tries again: the database may have been away.
            _loaded.TryRemove(new((pipeline.Name, version), loading));
            throw;
        }
    }

    /// <summary>Follows the aliases until it is cancelled.</summary>
    public async Task WatchAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Refresh);
        try
        {
            do
                try
                {
                    await RefreshAsync(ct);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.LogWarning("Aliases could not be looked up: {Reason} Requests are answered as before; it tries again", e.Message);
                }
            while (await timer.WaitForNextTickAsync(ct));
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private async Task<IReadOnlyDictionary<(string Model, string Alias), int>> RefreshAsync(CancellationToken ct)
    {
        if (pipelines.Count == 0)
            return _aliases = new Dictionary<(string, string), int>();
        await _refreshing.WaitAsync(ct);
        try
        {
            var pointers = await registry.PointersAsync(ct);
            var aliases = pointers.Where(p => p.Alias is not null).ToDictionary(p => (p.Model, p.Alias!), p => p.Version);
            var newest = pointers.Where(p => p.Alias is null).ToDictionary(p => p.Model, p => p.Version);
            var wanted = pipelines.SelectMany(p => new[] { Champion, Challenger }
                .Where(alias => aliases.ContainsKey((p.Model, alias))).Select(alias => (Pipeline: p, Alias: alias, Version: aliases[(p.Model, alias)]))).ToArray();
            var next = pipelines.Where(p => newest.ContainsKey(p.Model)).Select(p => (Pipeline: p, Version: newest[p.Model])).ToArray();
            // All at once, so that none waits for another's.
            foreach (var (pipeline, version) in wanted.Select(w => (w.Pipeline, w.Version)).Concat(next.Where(n => _prepared.Add((n.Pipeline.Name, n.Version)))))
                _ = Loading(pipeline, version);
            var broken = new Dictionary<(string, int), string>();
            foreach (var (pipeline, alias, version) in wanted)
                try
                {
                    // Until the version is loaded, what was there before answers, if anything could.
                    if (!Loading(pipeline, version).IsCompleted && _aliases?.TryGetValue((pipeline.Model, alias), out var earlier) == true && !_broken.ContainsKey((pipeline.Name, earlier)))
                        aliases[(pipeline.Model, alias)] = earlier;
                    else
                        await LoadAsync(pipeline, version, ct);
                }
                catch (AiWorkflowsException e)
                {
                    broken[(pipeline.Name, version)] = e.Message;
                    if (!_broken.ContainsKey((pipeline.Name, version)))
                        log.LogError("{Model} v{Version} cannot answer: {Reason}", pipeline.Model, version, e.Message);
                }
            _broken = broken;
            Report(aliases);
            Volatile.Write(ref _aliases, aliases);
            Forget([.. wanted.Select(w => (w.Pipeline.Name, w.Version)), .. wanted.Where(w => aliases.ContainsKey((w.Pipeline.Model, w.Alias))).Select(w => (w.Pipeline.Name, aliases[(w.Pipeline.Model, w.Alias)])), .. next.Select(n => (n.Pipeline.Name, n.Version))]);
            return aliases;
        }
        finally
        {
            _refreshing.Release();
        }
    }

    private void Report(Dictionary<(string Model, string Alias), int> aliases)
    {
        foreach (var ((model, alias), version) in aliases)
            if (pipelines.Any(p => p.Model == model) && (_aliases is null || !_aliases.TryGetValue((model, alias), out var before) || before != version))
                log.LogInformation("{Model} is answered by v{Version} as its {Alias}", model, version, alias);
    }

    private void Forget(IReadOnlyList<(string Pipeline, int Version)> wanted)
    {
        foreach (var key in _loaded.Keys.Except(wanted).ToArray().SkipLast(MostOthers))
            _loaded.TryRemove(key, out _);
    }

    private Task<OnlineVersion> Loading(InferenceDefinition pipeline, int version) =>
        _loaded.GetOrAdd((pipeline.Name, version), _ => Task.Run(() => ReadAsync(pipeline, version), CancellationToken.None));

    private async Task<OnlineVersion> ReadAsync(InferenceDefinition pipeline, int number)
    {
        var version = await registry.FindVersionAsync(pipeline.Model, number, CancellationToken.None)
            ?? throw new InvalidRequestException($"Model '{pipeline.Model}' has no version {number}; `models show {pipeline.Model}` lists them.");
        return pipeline.LoadOnline(version, await registry.ReadArtifactAsync(version.ArtifactSha256, CancellationToken.None), services);
    }
}
