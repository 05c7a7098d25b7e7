using AiWorkflows;

namespace FlightDelays;

/// <summary>Collects the rows of one local minute, which stand together in the file, and numbers them independently of their order.</summary>
internal sealed class FlightsOfMinute(string path)
{
    private readonly record struct Row(Airport Origin, Airport Destination, int Distance, int Delay);

    private static readonly Comparison<Row> Order = (a, b) =>
        string.CompareOrdinal(a.Origin.Code, b.Origin.Code) is var origin and not 0 ? origin
        : string.CompareOrdinal(a.Destination.Code, b.Destination.Code) is var destination and not 0 ? destination
        : a.Distance.CompareTo(b.Distance) is var distance and not 0 ? distance
        : a.Delay.CompareTo(b.Delay);

    private readonly Airports _airports = new();
    private readonly List<Row> _rows = [];
    private DateTime _date = DateTime.MinValue;

    public bool Holds(DateTime? date) => _rows.Count > 0 && date == _date;

    public void Clear() => _rows.Clear();

    /// <exception cref="StageFailedException">A value is missing or cannot be a flight's; the message names row and column.</exception>
    public void Add(FlightColumns columns, int i)
    {
        var row = columns.FirstRow + i + 1;
        var date = columns.Date[i] ?? throw Missing(row, "date");
        if (date < _date)
            throw new StageFailedException($"{path} is not ordered by date: row {row} is of {date:yyyy-MM-dd HH:mm}, the one before of {_date:yyyy-MM-dd HH:mm}. Sort it by the column 'date'.");
        if (!FlightId.Covers(date))
            throw new StageFailedException($"Row {row} of {path} has the date {date:yyyy-MM-dd HH:mm}; flights can be numbered from 2001 to 2007 (FlightId.cs).");
        _date = date;
        _rows.Add(new(
            FindAirport(columns.Origin[i], row, "origin"), FindAirport(columns.Destination[i], row, "destination"),
            Whole(columns.Distance[i], 0, FlightRecord.LargestDistance, row, "distance"), Whole(columns.Delay[i], int.MinValue, int.MaxValue, row, "delay")));
    }

    /// <summary>The flights, in order of all columns, each with its number.</summary>
    public IEnumerable<FlightRecord> Number()
    {
        if (_rows.Count > 1)
            _rows.Sort(Order);
        var ordinal = 0;
        for (var i = 0; i < _rows.Count; i++)
        {
            var (origin, destination, distance, delay) = _rows[i];
            ordinal = i > 0 && origin == _rows[i - 1].Origin && destination == _rows[i - 1].Destination ? ordinal + 1 : 0;
            if (ordinal > FlightId.LargestOrdinal)
                throw new StageFailedException($"{path} has more than {FlightId.LargestOrdinal + 1} flights from {origin.Code} to {destination.Code} at {_date:yyyy-MM-dd HH:mm}; is it several files joined?");
            yield return new(FlightId.Of(_date, origin.Code, destination.Code, ordinal), origin.Clock.ToUtc(_date), _date, origin.Code, destination.Code, distance, delay);
        }
    }

    private Airport FindAirport(ReadOnlyMemory<char>? code, long row, string column) =>
        code is not { } text ? throw Missing(row, column)
        : _airports.Find(text.Span)
            ?? throw new StageFailedException($"Row {row} of {path} has '{text}' as {column}, an airport whose time zone is not known; add it to Airports.cs.");

    private int Whole(long? value, int min, int max, long row, string column) =>
        value is not { } v ? throw Missing(row, column)
        : v >= min && v <= max ? (int)v
        : throw new StageFailedException($"Row {row} of {path} has {v} as {column}; it must lie between {min} and {max}.");

    private StageFailedException Missing(long row, string column) => new($"Row {row} of {path} has no {column}; every flight needs one. Remove or complete the row.");
}
