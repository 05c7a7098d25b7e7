using System.Runtime.InteropServices;

namespace AiWorkflows.Features;

/// <summary>
/// Versions of rows that count from the moment they were published: what was corrected later is, before that, still what it was.
/// Holds the versions within the largest age; those published long after their event time are never held at all.
/// </summary>
internal sealed class PublishedVersions<TRow, TKey>(long maxAge) where TRow : class where TKey : notnull
{
    private readonly record struct Version(TRow Row, long Time, long Known, long Sequence, bool IsDeleted);

    private readonly Dictionary<TKey, List<Version>> _versions = [];
    private long _held;
    private long _sweepAt = 4096;
    private long _now = long.MinValue;

    public void Put(TKey key, in FeedRow<TRow> row, long known, long sequence)
    {
        if (known - row.Time > maxAge)
            return;
        ref var list = ref CollectionsMarshal.GetValueRefOrAddDefault(_versions, key, out _);
        list ??= [];
        var version = new Version(row.Row, row.Time, known, sequence, row.IsDeleted);
        var at = list.Count;
        while (at > 0 && (list[at - 1].Time > version.Time || (list[at - 1].Time == version.Time && list[at - 1].Sequence > sequence)))
            at--;
        list.Insert(at, version);
        _held++;
    }

    public void Advance(long time)
    {
        _now = time;
        if (_held >= _sweepAt)
            Sweep();
    }

    public TRow? Find(TKey key, long time, long age, bool strictlyBefore)
    {
        if (!_versions.TryGetValue(key, out var list))
            return null;
        // From the latest event time back, and within one from the highest version back: the first that is known decides about its event time.
        var skipped = long.MinValue;
        for (var i = list.Count - 1; i >= 0; i--)
        {
            var version = list[i];
            if (time - version.Time > age)
                return null;
            if (version.Time == skipped || (strictlyBefore ? version.Known >= time : version.Known > time))
                continue;
            if (!version.IsDeleted)
                return version.Row;
            skipped = version.Time;
        }
        return null;
    }

    private void Sweep()
    {
        _held = 0;
        foreach (var (key, list) in _versions.ToArray())
        {
            list.RemoveAll(v => _now - v.Time > maxAge);
            if (list.Count == 0)
                _versions.Remove(key);
            _held += list.Count;
        }
        _sweepAt = Math.Max(4096, _held * 2);
    }
}
