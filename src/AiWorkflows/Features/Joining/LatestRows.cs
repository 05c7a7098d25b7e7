using System.Runtime.InteropServices;

namespace AiWorkflows.Features;

/// <summary>
/// The latest row of each key, in the order in which they were renewed: keys whose row has become too old are forgotten, so that memory follows the live keys.
/// Rows must be put in the order of their event times.
/// </summary>
/// <param name="maxAge">Microseconds after which no join can use a row.</param>
/// <param name="keepPrevious">Whether the row before the latest is kept, for joins to which a row at the example's very time does not count.</param>
internal sealed class LatestRows<TRow, TKey>(long maxAge, bool keepPrevious) where TRow : class where TKey : notnull
{
    private struct Entry
    {
        public TKey Key;
        public TRow? Row;
        public TRow? Previous;
        public long Time;
        public long PreviousTime;
        public int Older;
        public int Newer;
    }

    private readonly Dictionary<TKey, int> _index = [];
    private readonly Stack<int> _free = [];
    private Entry[] _entries = new Entry[256];
    private int _count;
    private int _oldest = -1;
    private int _newest = -1;

    public int Count => _index.Count;

    public void Put(TKey key, TRow row, long time)
    {
        ref var index = ref CollectionsMarshal.GetValueRefOrAddDefault(_index, key, out var known);
        if (!known)
        {
            index = Allocate();
            _entries[index] = new Entry { Key = key, Older = -1, Newer = -1 };
        }
        else if (index != _newest)
            Unlink(index);
        ref var entry = ref _entries[index];
        if (keepPrevious)
            (entry.Previous, entry.PreviousTime) = (entry.Row, entry.Time);
        (entry.Row, entry.Time) = (row, time);
        if (index != _newest)
            Link(index);
    }

    /// <summary>The latest row with an event time before <paramref name="before"/> that is at most <paramref name="age"/> old at <paramref name="time"/>.</summary>
    public TRow? Find(TKey key, long time, long age, long before)
    {
        if (!_index.TryGetValue(key, out var index))
            return null;
        ref var entry = ref _entries[index];
        if (entry.Time < before)
            return time - entry.Time <= age ? entry.Row : null;
        return entry.Previous is not null && time - entry.PreviousTime <= age ? entry.Previous : null;
    }

    public void Forget(long time)
    {
        while (_oldest >= 0 && time - _entries[_oldest].Time > maxAge)
        {
            var index = _oldest;
            Unlink(index);
            _index.Remove(_entries[index].Key);
            _entries[index] = default;
            _free.Push(index);
        }
    }

    private int Allocate()
    {
        if (_free.TryPop(out var index))
            return index;
        if (_count == _entries.Length)
            Array.Resize(ref _entries, _count * 2);
        return _count++;
    }

    private void Link(int index)
    {
        ref var entry = ref _entries[index];
        (entry.Older, entry.Newer) = (_newest, -1);
        if (_newest >= 0)
            _entries[_newest].Newer = index;
        else
            _oldest = index;
        _newest = index;
    }

    private void Unlink(int index)
    {
        var (older, newer) = (_entries[index].Older, _entries[index].Newer);
        if (older >= 0)
            _entries[older].Newer = newer;
        else
            _oldest = newer;
        if (newer >= 0)
            _entries[newer].Older = older;
        else
            _newest = older;
    }
}
