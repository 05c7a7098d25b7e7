using System.Collections.Concurrent;

namespace AiWorkflows.Hosting.Dashboard;

/// <summary>
/// Keeps what a page has read for a second, so that fifty viewers cost as much as one and the menu's metric, which every open tab asks for
/// every two seconds, costs nothing. One reader fills an entry while the others wait for it.
/// </summary>
internal sealed class PageCache(TimeProvider system)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);
    private const int MostEntries = 1_000;

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <param name="read">Gets no viewer's token: others wait for the same answer.</param>
    public async Task<T> GetAsync<T>(string key, Func<Task<T>> read)
    {
        var now = system.GetTimestamp();
        if (_entries.Count > MostEntries)
            RemoveStale(now);
        while (true)
        {
            var entry = _entries.GetOrAdd(key, _ => new Entry(now, new Lazy<Task<object?>>(async () => await read().ConfigureAwait(false))));
            if (system.GetElapsedTime(entry.Since, now) < Lifetime)
            {
                try
                {
                    return (T)(await entry.Value.Value.ConfigureAwait(false))!;
                }
                catch
                {
                    // What failed is tried again by the next request, not remembered.
                    _entries.TryRemove(new(key, entry));
                    throw;
                }
            }
            _entries.TryRemove(new(key, entry));
        }
    }

    /// <summary>Somebody has changed something, and looks at what became of it.</summary>
    public void Clear() => _entries.Clear();

    private void RemoveStale(long now)
    {
        foreach (var entry in _entries)
            if (system.GetElapsedTime(entry.Value.Since, now) >= Lifetime)
                _entries.TryRemove(entry);
    }

    private sealed record Entry(long Since, Lazy<Task<object?>> Value);
}
