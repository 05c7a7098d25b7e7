namespace AiWorkflows.Features;

/// <summary>
/// Counts values in one pass, without knowing their range. Every edge is a multiple of a power of two, so that histograms of different days,
/// each as fine as its own data asks for, share enough edges to be added up (see <see cref="Histogram.Add"/>).
/// </summary>
internal sealed class DyadicHistogram
{
    private const int Cells = 1024;
    private const int Bins = 20;

    private long[] _counts = new long[Cells];
    private int _exponent = int.MinValue;
    private double _scale;
    private long _low;

    public void Add(double value)
    {
        if (_exponent == int.MinValue)
        {
            _exponent = Math.Clamp((value == 0 ? 0 : Math.ILogB(value)) - 12, -1000, 1000);
            _scale = Math.ScaleB(1, -_exponent);
            _low = (long)Math.Floor(value * _scale) - Cells / 2;
        }
        var scaled = value * _scale;
        if (Math.Abs(scaled) < 1L << 52)
        {
            var cell = (ulong)((long)Math.Floor(scaled) - _low);
            if (cell < Cells)
            {
                _counts[cell]++;
                return;
            }
        }
        Widen(value);
        _counts[(long)Math.Floor(value * _scale) - _low]++;
    }

    /// <summary>At most 20 bins: the widest first, then again and again the fullest one halved. Null where nothing was counted.</summary>
    public Histogram? ToHistogram()
    {
        var (first, last) = (Array.FindIndex(_counts, c => c > 0), Array.FindLastIndex(_counts, c => c > 0));
        if (first < 0)
            return null;
        var sums = new long[Cells + 1];
        for (var i = 0; i < Cells; i++)
            sums[i + 1] = sums[i] + _counts[i];
        long Count(long from, long to) => sums[Math.Clamp(to - _low, 0, Cells)] - sums[Math.Clamp(from - _low, 0, Cells)];
        bool IsOneCell(long from, long to) => Array.FindIndex(_counts, (int)Math.Clamp(from - _low, 0, Cells - 1), c => c > 0) is var a
            && Array.FindLastIndex(_counts, (int)Math.Clamp(to - 1 - _low, 0, Cells - 1), c => c > 0) == a;

        var level = 0;
        var (start, end) = (_low + first, _low + last);
        while ((end >> level) - (start >> level) >= 2)
            level++;
        var bins = new List<(long From, long To)>();
        for (var cell = start >> level; cell <= end >> level; cell++)
            bins.Add((cell << level, (cell + 1) << level));
        while (bins.Count < Bins)
        {
            var fullest = -1;
            for (var i = 0; i < bins.Count; i++)
                if (bins[i].To - bins[i].From > 1 && (fullest < 0 || Count(bins[i].From, bins[i].To) > Count(bins[fullest].From, bins[fullest].To)) && !IsOneCell(bins[i].From, bins[i].To))
                    fullest = i;
            if (fullest < 0)
                break;
            var (from, to) = bins[fullest];
            bins[fullest] = (from, from + (to - from) / 2);
            bins.Insert(fullest + 1, (from + (to - from) / 2, to));
        }
        return new Histogram(
            [.. bins.Select(b => Edge(b.From)), Edge(bins[^1].To)],
            [.. bins.Select(b => Count(b.From, b.To))]);
    }

    /// <summary>The cell around the largest double ends beyond it, and infinity is no edge.</summary>
    private double Edge(long cell) => Math.Clamp(Math.ScaleB(cell, _exponent), double.MinValue, double.MaxValue);

    /// <summary>Doubles the width of the cells until the value fits beside what has been counted, and puts the occupied range in the middle.</summary>
    private void Widen(double value)
    {
        var (first, last) = (Array.FindIndex(_counts, c => c > 0), Array.FindLastIndex(_counts, c => c > 0));
        var (from, to) = (_low + first, _low + last);
        var shift = 0;
        double scaled;
        while (Math.Abs(scaled = value * Math.ScaleB(_scale, -shift)) >= 1L << 52
            || Math.Max(to >> shift, (long)Math.Floor(scaled)) - Math.Min(from >> shift, (long)Math.Floor(scaled)) >= Cells)
            shift++;
        var (newFrom, newTo) = (Math.Min(from >> shift, (long)Math.Floor(scaled)), Math.Max(to >> shift, (long)Math.Floor(scaled)));
        var low = newFrom - (Cells - 1 - (newTo - newFrom)) / 2;
        var counts = new long[Cells];
        for (var i = first; i <= last; i++)
            counts[((_low + i) >> shift) - low] += _counts[i];
        (_counts, _low, _exponent, _scale) = (counts, low, _exponent + shift, Math.ScaleB(_scale, -shift));
    }
}
