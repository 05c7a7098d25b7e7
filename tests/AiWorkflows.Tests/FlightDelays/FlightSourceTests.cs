using global::FlightDelays;

namespace AiWorkflows.Tests.Flights;

public sealed class FlightSourceTests : IDisposable
{
    private static readonly string Shipped = Path.Combine(AppContext.BaseDirectory, "data", "flights-2001-h1-top20.parquet");
    private static readonly Window Always = new(Utc(2000, 12, 30), Utc(2001, 7, 5));

    private static readonly Lazy<Task<List<FlightRecord>>> AllFlights = new(() => ReadAsync(Shipped, Always));

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_row_of_the_file_becomes_one_flight_with_an_id_of_its_own()
    {
        var flights = await AllFlights.Value;
        var raw = await RawFlights.AllAsync();

        flights.Count.ShouldBe(raw.Length);
        flights.Select(f => f.Id).Distinct().Count().ShouldBe(raw.Length);
        flights.Max(f => f.Id).ShouldBeLessThan(1L << 53);
        raw.Distinct().Count().ShouldBe(raw.Length - 99, "the file has exact copies, so an ordinal is needed");
        flights.Select(f => new RawFlight(f.LocalDeparture, f.Origin, f.Destination, f.Distance, f.Delay)).Order(ByEverything)
            .SequenceEqual(raw.Order(ByEverything)).ShouldBeTrue();
    }

    [Fact]
    public async Task Local_times_become_utc_with_daylight_saving_and_without_it_in_Phoenix()
    {
        var wrong = (await AllFlights.Value).Where(f => f.Departure.Kind != DateTimeKind.Utc || f.Departure != RawFlights.ToUtc(f.LocalDeparture, f.Origin)).Take(5);
        wrong.ShouldBeEmpty();

        await WriteAsync("two.parquet", [(At(3, 1, 12), "LAX", "PHX"), (At(3, 1, 12), "PHX", "LAX"), (At(6, 1, 12), "LAX", "PHX"), (At(6, 1, 12), "PHX", "LAX")]);
        (await ReadAsync(_folder.File("two.parquet"), Always)).Select(f => f.Departure).ShouldBe([Utc(2001, 3, 1, 20), Utc(2001, 3, 1, 19), Utc(2001, 6, 1, 19), Utc(2001, 6, 1, 19)]);
    }

    [Theory]
    [InlineData("2001-04-01T01:59", "2001-04-01T06:59")] // before clocks go forward
    [InlineData("2001-04-01T02:30", "2001-04-01T07:30")] // skipped: moved on to 3:30 summer time
    [InlineData("2001-04-01T03:00", "2001-04-01T07:00")]
    [InlineData("2001-10-28T00:59", "2001-10-28T04:59")]
    [InlineData("2001-10-28T01:30", "2001-10-28T05:30")] // twice: taken as its first occurrence
    [InlineData("2001-10-28T02:00", "2001-10-28T07:00")]
    public async Task An_hour_that_is_skipped_or_occurs_twice_is_decided(string local, string utc)
    {
        var date = DateTime.Parse(local, System.Globalization.CultureInfo.InvariantCulture);
        await WriteAsync("one.parquet", [(date.AddDays(-20), "JFK", "LAX"), (date, "JFK", "LAX"), (date.AddDays(20), "JFK", "LAX")]);
        var flights = await ReadAsync(_folder.File("one.parquet"), new Window(Utc(2001, 1, 1), Utc(2002, 1, 1)));
        flights[1].Departure.ToString("yyyy-MM-dd'T'HH:mm", System.Globalization.CultureInfo.InvariantCulture).ShouldBe(utc);
    }

    [Fact]
    public async Task A_window_gives_exactly_the_flights_that_departed_in_it()
    {
        var all = await AllFlights.Value;
        var random = new Random(7);
        for (var i = 0; i < 25; i++)
        {
            var from = Utc(2000, 12, 31).AddMinutes(random.Next(0, 185 * 1440));
            var window = new Window(from, from.AddMinutes(random.Next(0, i % 5 == 0 ? 40 * 1440 : 1440)));
            (await ReadAsync(Shipped, window)).SequenceEqual(all.Where(f => window.Contains(f.Departure))).ShouldBeTrue($"window {window}");
        }
    }

    [Fact]
    public async Task Ids_depend_neither_on_the_order_of_rows_within_a_minute_nor_on_row_groups_nor_on_the_window()
    {
        var raw = (await RawFlights.AllAsync()).TakeWhile(r => r.Local < At(1, 8, 0)).ToArray();
        var random = new Random(3);
        var shuffled = raw.GroupBy(r => r.Local).SelectMany(g => g.OrderBy(_ => random.Next())).ToArray();
        await RawFlights.WriteAsync(_folder.File("shuffled.parquet"), [.. shuffled.Select(r => ((DateTime?)r.Local, r.Origin, r.Destination, (long?)r.Distance, (long?)r.Delay))], rowsPerGroup: 997);

        var expected = (await AllFlights.Value).Take(raw.Length).ToArray();
        (await ReadAsync(_folder.File("shuffled.parquet"), Always)).SequenceEqual(expected).ShouldBeTrue();
        var day = new Window(Utc(2001, 1, 3), Utc(2001, 1, 4));
        (await ReadAsync(_folder.File("shuffled.parquet"), day)).SequenceEqual(expected.Where(f => day.Contains(f.Departure))).ShouldBeTrue();
    }

    [Fact]
    public async Task An_outcome_counts_as_known_after_departure_and_within_the_horizon_of_the_label()
    {
        var flights = await AllFlights.Value;
        flights.Count(f => f.Landing <= f.Departure.AddMinutes(30) || f.Landing < f.Departure.AddMinutes(Math.Min(f.Delay, FlightRecord.LargestDelay))).ShouldBe(0);
        flights.Max(f => f.Landing - f.Departure).ShouldBeLessThanOrEqualTo(FlightRecord.LongestFlight);
        FlightRecord.LongestFlight.ShouldBeLessThan(TimeSpan.FromHours(36));
    }

    [Fact]
    public async Task A_missing_file_is_named_with_the_setting_that_points_to_it() =>
        (await FailsAsync("nowhere.parquet")).ShouldSatisfyAllConditions(m => m.ShouldContain("nowhere.parquet"), m => m.ShouldContain("FlightDelays:Flights"));

    [Theory]
    [InlineData(1_000_000)]
    [InlineData(3)]
    [InlineData(0)]
    public async Task A_truncated_file_is_named(int bytes)
    {
        await File.WriteAllBytesAsync(_folder.File("cut.parquet"), (await File.ReadAllBytesAsync(Shipped))[..bytes]);
        (await FailsAsync("cut.parquet")).ShouldSatisfyAllConditions(m => m.ShouldContain("cut.parquet"), m => m.ShouldContain("truncated"));
    }

    [Fact]
    public async Task A_file_with_damaged_pages_is_named()
    {
        var bytes = await File.ReadAllBytesAsync(Shipped);
        bytes.AsSpan(1000, 400_000).Fill(0x5A);
        await File.WriteAllBytesAsync(_folder.File("damaged.parquet"), bytes);
        (await FailsAsync("damaged.parquet")).ShouldSatisfyAllConditions(m => m.ShouldContain("damaged.parquet"), m => m.ShouldContain("row group 1 of 7"));
    }

    [Theory]
    [InlineData("date")]
    [InlineData("delay")]
    [InlineData("distance")]
    [InlineData("origin")]
    [InlineData("destination")]
    public async Task A_missing_column_is_named_with_those_that_there_are(string column)
    {
        await RawFlights.WriteAsync(_folder.File("less.parquet"), [(At(1, 1, 1), "LAX", "JFK", 2475, 0)], without: column);
        (await FailsAsync("less.parquet")).ShouldContain($"no column '{column}'");
    }

    [Fact]
    public async Task What_cannot_be_a_flight_is_named_by_row_and_column()
    {
        var good = ((DateTime?)At(1, 1, 1), (string?)"LAX", (string?)"JFK", (long?)2475, (long?)0);
        async Task Refused((DateTime?, string?, string?, long?, long?) bad, params string[] says)
        {
            await RawFlights.WriteAsync(_folder.File("bad.parquet"), [good, good, bad]);
            var message = await FailsAsync("bad.parquet");
            foreach (var part in says)
                message.ShouldContain(part);
        }
        await Refused((null, "LAX", "JFK", 2475, 0), "Row 3", "no date");
        await Refused((At(1, 1, 1), null, "JFK", 2475, 0), "Row 3", "no origin");
        await Refused((At(1, 1, 1), "LAX", "JFK", null, 0), "Row 3", "no distance");
        await Refused((At(1, 1, 1), "LAX", "JFK", 2475, null), "Row 3", "no delay");
        await Refused((At(1, 1, 1), "LAX", "XXX", 2475, 0), "Row 3", "'XXX' as destination", "Airports.cs");
        await Refused((At(1, 1, 1), "LAX", "JFK", -1, 0), "Row 3", "-1 as distance");
        await Refused((At(1, 1, 0), "LAX", "JFK", 2475, 0), "not ordered by date", "row 3");
    }

    private async Task<string> FailsAsync(string file) =>
        (await Should.ThrowAsync<StageFailedException>(() => ReadAsync(_folder.File(file), Always))).Message;

    private Task WriteAsync(string file, (DateTime Date, string Origin, string Destination)[] rows) =>
        RawFlights.WriteAsync(_folder.File(file), [.. rows.Select(r => ((DateTime?)r.Date, (string?)r.Origin, (string?)r.Destination, (long?)400, (long?)5))]);

    private static async Task<List<FlightRecord>> ReadAsync(string path, Window window)
    {
        var flights = new List<FlightRecord>();
        await foreach (var flight in new FlightSource(path).ReadAsync(window, TestContext.Current.CancellationToken))
            flights.Add(flight);
        return flights;
    }

    private static readonly Comparer<RawFlight> ByEverything = Comparer<RawFlight>.Create((a, b) =>
        (a.Local, a.Distance, a.Delay, a.Origin, a.Destination).CompareTo((b.Local, b.Distance, b.Delay, b.Origin, b.Destination)));

    private static DateTime At(int month, int day, int hour) => new(2001, month, day, hour, 0, 0);

    private static DateTime Utc(int year, int month, int day, int hour = 0) => new(year, month, day, hour, 0, 0, DateTimeKind.Utc);
}
