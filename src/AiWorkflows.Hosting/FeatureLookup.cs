using AiWorkflows.Features;
using AiWorkflows.Hosting.Cli;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting;

/// <summary>The features of an entity as a model would see them: what <c>features get</c> and the API answer.</summary>
internal static class FeatureLookup
{
    /// <param name="pairs">The keys as KEY=VALUE, by column or property name; each exactly once.</param>
    /// <param name="at">Event time of the example; null for that of the entity's latest row.</param>
    /// <param name="asOf">Publication time: what was published later is not seen; null for now.</param>
    /// <exception cref="InvalidRequestException">The keys are wrong, or there is no such example.</exception>
    public static async Task<ShownExample> GetAsync(IServiceProvider services, FeatureViewDefinition view, IReadOnlyList<string> pairs, DateTime? at, DateTime? asOf, CancellationToken ct) =>
        await FindAsync(services, view, pairs, at, asOf, ct)
        ?? throw new InvalidRequestException($"View {view.Name} has no example for {string.Join(", ", pairs)}{(at is { } t ? $" at {Timestamps.Display(t)}" : "")}{(asOf is { } p ? $" as of {Timestamps.Display(p)}" : "")}: {view.Spine.Name} has no such row.");

    /// <summary>As <see cref="GetAsync"/>, but null where there is no such example.</summary>
    public static async Task<ShownExample?> FindAsync(IServiceProvider services, FeatureViewDefinition view, IReadOnlyList<string> pairs, DateTime? at, DateTime? asOf, CancellationToken ct)
    {
        var keys = ParseKeys(view, pairs);
        var store = services.GetRequiredService<IFeatureStore>();
        var catalog = services.GetRequiredService<Catalog>();
        var seq = asOf is { } moment ? await store.SeqAtAsync(moment, ct) : await store.CurrentSeqAsync(ct);
        await store.RegisterAsync(catalog.Groups, [.. catalog.Views.Select(v => v.Registration)], ct);
        return await view.GetAsync(new FeatureReadSession(store, seq), keys, at, ct) is { } found ? ShownExample.Of(view, seq, found) : null;
    }

    private static Dictionary<string, string> ParseKeys(FeatureViewDefinition view, IReadOnlyList<string> pairs)
    {
        var keys = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in pairs)
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
                throw new InvalidRequestException($"'{pair}' is no key of {view.Name}; write KEY=VALUE, as in {view.Spine.Keys[0].Name}=…");
            var key = view.Spine.Keys.FirstOrDefault(k => k.Name.Equals(pair[..at], StringComparison.OrdinalIgnoreCase) || k.Property.Equals(pair[..at], StringComparison.OrdinalIgnoreCase))
                ?? throw NearMatches.Unknown($"key of {view.Name}", pair[..at], view.Spine.Keys.Select(k => k.Name));
            if (!keys.TryAdd(key.Name, pair[(at + 1)..]))
                throw new InvalidRequestException($"Key {key.Name} is given twice.");
        }
        var missing = view.Spine.Keys.Where(k => !keys.ContainsKey(k.Name)).Select(k => k.Name).ToList();
        return missing.Count == 0 ? keys : throw new InvalidRequestException($"View {view.Name} needs {string.Join(" and ", missing.Select(m => $"{m}=…"))} too.");
    }
}
