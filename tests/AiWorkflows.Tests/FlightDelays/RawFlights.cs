using Parquet;
using Parquet.Schema;

namespace AiWorkflows.Tests.Flights;

/// <summary>A row of the raw file, as written.</summary>
internal readonly record struct RawFlight(DateTime Local, string Origin, string Destination, long Distance, long Delay);

/// <summary>A second, independent reading of the file of flights, with daylight saving written down by hand.</summary>
internal static class RawFlights
{
    private static readonly Lazy<Task<RawFlight[]>> Rows = new(() => ReadAsync(Path.Combine(AppContext.BaseDirectory, "data", "flights-2001-h1-top20.parquet")));

    private static readonly Dictionary<string, int> StandardOffset = new()
    {
        ["ATL"] = -5, ["BOS"] = -5, ["CLT"] = -5, ["DTW"] = -5, ["EWR"] = -5, ["LGA"] = -5, ["MCO"] = -5, ["PHL"] = -5, ["PIT"] = -5,
        ["DFW"] = -6, ["IAH"] = -6, ["MSP"] = -6, ["ORD"] = -6, ["STL"] = -6,
        ["DEN"] = -7, ["PHX"] = -7,
        ["LAS"] = -8, ["LAX"] = -8, ["SEA"] = -8, ["SFO"] = -8,
    };

    public static Task<RawFlight[]> AllAsync() => Rows.Value;

    /// <summary>In 2001 daylight saving began on the first Sunday of April at 2:00; Arizona has none.</summary>
    public static DateTime ToUtc(DateTime local, string airport) => DateTime.SpecifyKind(
        local.AddHours(-StandardOffset[airport] - (airport != "PHX" && local >= new DateTime(2001, 4, 1, 2, 0, 0) ? 1 : 0)), DateTimeKind.Utc);

    public static async Task<RawFlight[]> ReadAsync(string path)
    {
        await using var reader = await ParquetReader.CreateAsync(path);
        var fields = reader.Schema.GetDataFields().ToDictionary(f => f.Name);
        var rows = new List<RawFlight>();
        for (var g = 0; g < reader.RowGroupCount; g++)
        {
            using var group = reader.OpenRowGroupReader(g);
            var n = (int)group.RowCount;
            var (date, delay, distance) = (new DateTime?[n], new long?[n], new long?[n]);
            var (origin, destination) = (new ReadOnlyMemory<char>?[n], new ReadOnlyMemory<char>?[n]);
            await group.ReadAsync<DateTime>(fields["date"], date.AsMemory());
            await group.ReadAsync<long>(fields["delay"], delay.AsMemory());
            await group.ReadAsync<long>(fields["distance"], distance.AsMemory());
            await group.ReadAsync<ReadOnlyMemory<char>>(fields["origin"], origin.AsMemory());
            await group.ReadAsync<ReadOnlyMemory<char>>(fields["destination"], destination.AsMemory());
            for (var i = 0; i < n; i++)
                rows.Add(new(DateTime.SpecifyKind(date[i]!.Value, DateTimeKind.Unspecified), string.Intern(origin[i]!.Value.ToString()), string.Intern(destination[i]!.Value.ToString()), distance[i]!.Value, delay[i]!.Value));
        }
        return [.. rows];
    }

    /// <summary>Writes a file of flights; null for a value leaves it out, and <paramref name="without"/> leaves out a column.</summary>
    public static async Task WriteAsync(
        string path, IReadOnlyList<(DateTime? Date, string? Origin, string? Destination, long? Distance, long? Delay)> rows, int rowsPerGroup = 1000, string? without = null)
    {
        var date = new DataField("date", typeof(DateTime?));
        var (delay, distance) = (new DataField("delay", typeof(long?)), new DataField("distance", typeof(long?)));
        var (origin, destination) = (new DataField("origin", typeof(string)), new DataField("destination", typeof(string)));
        DataField[] fields = [.. new[] { date, delay, distance, origin, destination }.Where(f => f.Name != without)];
        await using var stream = File.Create(path);
        await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(fields), stream);
        foreach (var chunk in rows.Chunk(rowsPerGroup))
        {
            using var group = writer.CreateRowGroup();
            foreach (var field in fields)
                await (field.Name switch
                {
                    "date" => group.WriteAsync<DateTime>(field, chunk.Select(r => r.Date).ToArray()),
                    "delay" => group.WriteAsync<long>(field, chunk.Select(r => r.Delay).ToArray()),
                    "distance" => group.WriteAsync<long>(field, chunk.Select(r => r.Distance).ToArray()),
                    "origin" => group.WriteAsync(field, chunk.Select(r => r.Origin!).ToArray()),
                    _ => group.WriteAsync(field, chunk.Select(r => r.Destination!).ToArray()),
                });
            group.CompleteValidate();
        }
    }
}
