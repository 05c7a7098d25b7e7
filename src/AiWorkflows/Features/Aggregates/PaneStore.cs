namespace AiWorkflows.Features;

/// <summary>
/// What one component of an aggregation keeps for one key: a small state for each pane (one hop) that holds events, oldest first.
/// Panes are combined oldest first, in double, so that the same events give the same bits however they were brought in.
/// </summary>
internal abstract class PaneStore<TEvent>
{
    /// <summary>Makes room for <paramref name="capacity"/> panes.</summary>
    public abstract void Resize(int capacity);

    /// <summary>Moves panes <c>[from, from + count)</c> to the front.</summary>
    public abstract void Shift(int from, int count);

    /// <summary>Starts an empty pane.</summary>
    public abstract void Open(int pane);

    public abstract void Add(int pane, TEvent e);

    /// <summary>Combines panes <c>[from, to)</c>, oldest first.</summary>
    public abstract void Combine(int from, int to, Span<double> result);
}

/// <summary>Number of events for which a predicate holds. Result: count. Whole numbers add up to the same in any order, so running totals serve every span at once.</summary>
internal sealed class CountStore<TEvent>(Func<TEvent, bool>? where) : PaneStore<TEvent>
{
    private long[] _totals = [];
    private long _before;

    public override void Resize(int capacity) => Array.Resize(ref _totals, capacity);

    public override void Shift(int from, int count)
    {
        _before = TotalBefore(from);
        Array.Copy(_totals, from, _totals, 0, count);
    }

    public override void Open(int pane) => _totals[pane] = TotalBefore(pane);

    public override void Add(int pane, TEvent e)
    {
        if (where is null || where(e))
            _totals[pane]++;
    }

    public override void Combine(int from, int to, Span<double> result) => result[0] = to > from ? _totals[to - 1] - TotalBefore(from) : 0;

    private long TotalBefore(int pane) => pane == 0 ? _before : _totals[pane - 1];
}

/// <summary>Sum of the values that are not missing. Result: sum, count.</summary>
internal sealed class SumStore<TEvent>(Func<TEvent, double> of, Func<TEvent, bool>? where) : PaneStore<TEvent>
{
    private double[] _sums = [];
    private int[] _counts = [];

    public override void Resize(int capacity)
    {
        Array.Resize(ref _sums, capacity);
        Array.Resize(ref _counts, capacity);
    }

    public override void Shift(int from, int count)
    {
        Array.Copy(_sums, from, _sums, 0, count);
        Array.Copy(_counts, from, _counts, 0, count);
    }

    public override void Open(int pane) => (_sums[pane], _counts[pane]) = (0, 0);

    public override void Add(int pane, TEvent e)
    {
        if ((where is not null && !where(e)) || of(e) is not (var value and not double.NaN))
            return;
        _sums[pane] += value;
        _counts[pane]++;
    }

    public override void Combine(int from, int to, Span<double> result)
    {
        var (sum, count) = (0d, 0L);
        for (var i = from; i < to; i++)
        {
            sum += _sums[i];
            count += _counts[i];
        }
        (result[0], result[1]) = (sum, count);
    }
}

/// <summary>Smallest and largest value. Result: min, max; NaN of none.</summary>
internal sealed class ExtremesStore<TEvent>(Func<TEvent, double> of, Func<TEvent, bool>? where) : PaneStore<TEvent>
{
    private (double Min, double Max)[] _panes = [];

    public override void Resize(int capacity) => Array.Resize(ref _panes, capacity);

    public override void Shift(int from, int count) => Array.Copy(_panes, from, _panes, 0, count);

    public override void Open(int pane) => _panes[pane] = (double.PositiveInfinity, double.NegativeInfinity);

    public override void Add(int pane, TEvent e)
    {
        if ((where is not null && !where(e)) || of(e) is not (var value and not double.NaN))
            return;
        ref var extremes = ref _panes[pane];
        if (value < extremes.Min)
            extremes.Min = value;
        if (value > extremes.Max)
            extremes.Max = value;
    }

    public override void Combine(int from, int to, Span<double> result)
    {
        var (min, max) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (ref readonly var pane in _panes.AsSpan(from, to - from))
        {
            if (pane.Min < min)
                min = pane.Min;
            if (pane.Max > max)
                max = pane.Max;
        }
        (result[0], result[1]) = min <= max ? (min, max) : (double.NaN, double.NaN);
    }
}

/// <summary>Value of the earliest and of the latest event. Result: first, last; NaN of none.</summary>
internal sealed class EndsStore<TEvent>(Func<TEvent, double> of, Func<TEvent, bool>? where) : PaneStore<TEvent>
{
    private (double First, double Last, bool Any)[] _panes = [];

    public override void Resize(int capacity) => Array.Resize(ref _panes, capacity);

    public override void Shift(int from, int count) => Array.Copy(_panes, from, _panes, 0, count);

    public override void Open(int pane) => _panes[pane] = default;

    public override void Add(int pane, TEvent e)
    {
        if (where is not null && !where(e))
            return;
        var value = of(e);
        ref var ends = ref _panes[pane];
        ends = (ends.Any ? ends.First : value, value, true);
    }

    public override void Combine(int from, int to, Span<double> result)
    {
        (result[0], result[1]) = (double.NaN, double.NaN);
        var any = false;
        foreach (ref readonly var pane in _panes.AsSpan(from, to - from))
        {
            if (!pane.Any)
                continue;
            (result[0], result[1], any) = (any ? result[0] : pane.First, pane.Last, true);
        }
    }
}

/// <summary>Mean and squared deviations of the values that are not missing, merged pane by pane (Chan et al.). Result: count, mean, squares.</summary>
internal sealed class MomentsStore<TEvent>(Func<TEvent, double> of, Func<TEvent, bool>? where) : PaneStore<TEvent>
{
    private (long Count, double Mean, double Squares)[] _panes = [];

    public override void Resize(int capacity) => Array.Resize(ref _panes, capacity);

    public override void Shift(int from, int count) => Array.Copy(_panes, from, _panes, 0, count);

    public override void Open(int pane) => _panes[pane] = default;

    public override void Add(int pane, TEvent e)
    {
        if ((where is not null && !where(e)) || of(e) is not (var value and not double.NaN))
            return;
        ref var moments = ref _panes[pane];
        moments.Count++;
        var difference = value - moments.Mean;
        moments.Mean += difference / moments.Count;
        moments.Squares += difference * (value - moments.Mean);
    }

    public override void Combine(int from, int to, Span<double> result)
    {
        var (count, mean, squares) = (0L, 0d, 0d);
        foreach (ref readonly var pane in _panes.AsSpan(from, to - from))
        {
            if (pane.Count == 0)
                continue;
            var total = count + pane.Count;
            var difference = pane.Mean - mean;
            mean += difference * pane.Count / total;
            squares += pane.Squares + difference * difference * count * pane.Count / total;
            count = total;
        }
        (result[0], result[1], result[2]) = (count, mean, squares);
    }
}

/// <summary>The distinct values that are not null. Result: their number.</summary>
internal sealed class DistinctStore<TEvent>(Func<TEvent, object?> of, Func<TEvent, bool>? where) : PaneStore<TEvent>
{
    private HashSet<object>?[] _panes = [];

    public override void Resize(int capacity) => Array.Resize(ref _panes, capacity);

    public override void Shift(int from, int count)
    {
        Array.Copy(_panes, from, _panes, 0, count);
        Array.Clear(_panes, count, from);
    }

    public override void Open(int pane) => _panes[pane] = null;

    public override void Add(int pane, TEvent e)
    {
        if ((where is null || where(e)) && of(e) is { } value && value is not (float.NaN or double.NaN))
            (_panes[pane] ??= []).Add(value);
    }

    public override void Combine(int from, int to, Span<double> result)
    {
        HashSet<object>? union = null;
        for (var i = from; i < to; i++)
            if (_panes[i] is { } values)
                (union ??= []).UnionWith(values);
        result[0] = union?.Count ?? 0;
    }
}
