namespace AiWorkflows.Features;

/// <summary>Collects statistics of every column while rows stream by; it is bound like a store.</summary>
internal sealed class StatisticsSink(IReadOnlyList<FeatureColumn> columns) : ICellSink
{
    private const int TrackedTexts = 1000;
    private const int TopTexts = 20;

    private readonly Column[] _columns = [.. columns.Select(c => new Column(c))];

    public long Rows { get; set; }

    public void Null(int ordinal) => _columns[ordinal].Nulls++;

    public void Integer(int ordinal, long value) => _columns[ordinal].Add(value);

    public void Real(int ordinal, double value) => _columns[ordinal].AddNumber(value);

    public void Text(int ordinal, string value) => _columns[ordinal].AddText(value);

    public void Blob(int ordinal, ReadOnlySpan<byte> value) => _columns[ordinal].Count++;

    public CommitStatistics ToStatistics() => new(Rows, [.. _columns.Select(c => c.ToStatistics())]);

    private sealed class Column(FeatureColumn column)
    {
        private readonly double _unit = column.Type == ColumnType.Decimal ? (double)Canonical.PowerOfTen(column.Scale) : 1;
        private readonly Dictionary<string, long> _texts = new(StringComparer.Ordinal);
        private readonly DyadicHistogram _histogram = new();
        private long _untracked;
        private long _earliest = long.MaxValue;
        private long _latest = long.MinValue;
        private double _min = double.PositiveInfinity;
        private double _max = double.NegativeInfinity;
        private double _shift;
        private double _sum;
        private double _squares;

        public long Nulls;
        public long Count;

        public void Add(long value)
        {
            switch (column.Type)
            {
                case ColumnType.Timestamp or ColumnType.Date:
                    Count++;
                    _earliest = Math.Min(_earliest, value);
                    _latest = Math.Max(_latest, value);
                    break;
                case ColumnType.Boolean:
                    AddText(value != 0 ? "true" : "false");
                    break;
                default:
                    AddNumber(value / _unit);
                    break;
            }
        }

        public void AddNumber(double value)
        {
            if (Count++ == 0)
                _shift = value;
            if (value < _min)
                _min = value;
            if (value > _max)
                _max = value;
            // Sums of differences to the first value: as exact as a running mean where values lie close together, and cheaper.
            var difference = value - _shift;
            _sum += difference;
            _squares += difference * difference;
            _histogram.Add(value);
        }

        public void AddText(string value)
        {
            Count++;
            ref var count = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrNullRef(_texts, value);
            if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref count))
                count++;
            else if (_texts.Count < TrackedTexts)
                _texts.Add(value, 1);
            else
                _untracked++;
        }

        public ColumnStatistics ToStatistics()
        {
            var result = new ColumnStatistics(column.Name, Count, Nulls);
            if (Count == 0)
                return result;
            if (column.Type is ColumnType.Timestamp)
                return result with { From = Timestamps.Iso(Timestamps.FromMicros(_earliest)), To = Timestamps.Iso(Timestamps.FromMicros(_latest)) };
            if (column.Type is ColumnType.Date)
                return result with { From = Day(_earliest), To = Day(_latest) };
            if (column.Type is ColumnType.Boolean or ColumnType.Text or ColumnType.Enum)
                return result with
                {
                    Distinct = _untracked == 0 ? _texts.Count : null,
                    Top = [.. _texts.OrderByDescending(t => t.Value).ThenBy(t => t.Key, StringComparer.Ordinal).Take(TopTexts).Select(t => new ValueCount(t.Key, t.Value))],
                };
            if (column.Kind == CellKind.Blob)
                return result;
            var mean = _sum / Count;
            return result with
            {
                Min = _min,
                Max = _max,
                Mean = Finite(_shift + mean),
                Deviation = Finite(Math.Sqrt(Math.Max(0, _squares / Count - mean * mean))),
                Histogram = _histogram.ToHistogram(),
            };
        }

        /// <summary>Sums of numbers near the limit of double may overflow; JSON has no infinity.</summary>
        private static double? Finite(double value) => double.IsFinite(value) ? value : null;

        private static string Day(long day) => DateOnly.FromDayNumber((int)day + CellWriter.EpochDay).ToString("O", System.Globalization.CultureInfo.InvariantCulture);
    }
}
