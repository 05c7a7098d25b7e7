using System.Collections.Concurrent;

namespace AiWorkflows.Features;

/// <summary>
/// Rows that were looked up, kept as long as nothing newer is published: everything in it is as of one sequence, and a new sequence begins with nothing. Whoever answers
/// with it has to see to it that the sequence is still the newest. Bounded in number, and thrown away after a while, for retention deletes rows without a publication.
/// </summary>
internal sealed class KnownRows(long seq)
{
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <summary>Keys that are remembered; later ones are looked up each time.</summary>
    private const int MostKeys = 100_000;

    /// <summary>Of one key.</summary>
    private const int MostTimes = 256;

    private readonly ConcurrentDictionary<object, object> _joins = new(ReferenceEqualityComparer.Instance);
    private int _keys;

    public long Seq => seq;

    /// <summary>A timestamp of the stopwatch.</summary>
    public long Since { get; } = System.Diagnostics.Stopwatch.GetTimestamp();

    /// <param name="owner">Who looks up; each has rows of its own.</param>
    public ConcurrentDictionary<TKey, KnownRow<TRow>[]> Of<TKey, TRow>(object owner) where TKey : notnull where TRow : class =>
        (ConcurrentDictionary<TKey, KnownRow<TRow>[]>)_joins.GetOrAdd(owner, static _ => new ConcurrentDictionary<TKey, KnownRow<TRow>[]>());

    /// <summary>What is known about a key at a time; null if nothing is.</summary>
    /// <param name="until">The latest event time that counts.</param>
    /// <param name="from">The earliest one.</param>
    public static KnownRow<TRow>? Find<TKey, TRow>(ConcurrentDictionary<TKey, KnownRow<TRow>[]> rows, TKey key, long from, long until) where TKey : notnull where TRow : class
    {
        if (!rows.TryGetValue(key, out var known))
            return null;
        var (low, high) = (0, known.Length - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (known[middle].From <= until)
                low = middle;
            else
                high = middle - 1;
        }
        var found = known[low];
        return found.From > until || found.To < until ? null
            : found.Row is not null ? found.From >= from ? found : KnownRow<TRow>.None
            : found.From <= from ? found : null;
    }

    public void Add<TKey, TRow>(ConcurrentDictionary<TKey, KnownRow<TRow>[]> rows, TKey key, KnownRow<TRow> row) where TKey : notnull where TRow : class
    {
        if (Volatile.Read(ref _keys) >= MostKeys)
            return;
        Interlocked.Increment(ref _keys);
        rows.AddOrUpdate(key, static (_, one) => [one], static (_, known, one) => With(known, one), row);
    }

    private static KnownRow<TRow>[] With<TRow>(KnownRow<TRow>[] known, KnownRow<TRow> one) where TRow : class
    {
        var at = Array.FindIndex(known, k => k.From >= one.From);
        if (at < 0)
            return known.Length < MostTimes ? [.. known, one] : [one];
        if (known[at].From == one.From)
            return [.. known[..at], one, .. known[(at + 1)..]];
        return known.Length < MostTimes ? [.. known[..at], one, .. known[at..]] : [one];
    }
}

/// <summary>The row of a key that counts from one event time to another.</summary>
/// <param name="Row">Null where there is none in all that time.</param>
/// <param name="From">The row's event time; without a row, the time from which on there is none.</param>
/// <param name="To">The last microsecond before the next row's event time.</param>
internal sealed record KnownRow<TRow>(TRow? Row, long From, long To) : IFoundRow where TRow : class
{
    /// <summary>No row.</summary>
    public static readonly KnownRow<TRow> None = new(null, 0, 0);

    object? IFoundRow.Row => Row;

    long IFoundRow.Time => From;
}
