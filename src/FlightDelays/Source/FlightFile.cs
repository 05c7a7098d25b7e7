using AiWorkflows;
using Parquet;
using Parquet.Schema;

namespace FlightDelays;

/// <summary>The columns of one row group.</summary>
internal sealed record FlightColumns(
    long FirstRow, DateTime?[] Date, long?[] Delay, long?[] Distance, ReadOnlyMemory<char>?[] Origin, ReadOnlyMemory<char>?[] Destination);

/// <summary>A Parquet file of flights, read one row group at a time. Whatever is wrong with it is said by file and column.</summary>
internal sealed class FlightFile : IAsyncDisposable
{
    private static readonly (string Name, Type Type)[] Expected =
    [
        ("date", typeof(DateTime)), ("delay", typeof(long)), ("distance", typeof(long)),
        ("origin", typeof(ReadOnlyMemory<char>)), ("destination", typeof(ReadOnlyMemory<char>)),
    ];

    private readonly string _path;
    private readonly ParquetReader _reader;
    private readonly Dictionary<string, DataField> _fields;
    private long _nextRow;

    private FlightFile(string path, ParquetReader reader, Dictionary<string, DataField> fields) => (_path, _reader, _fields) = (path, reader, fields);

    public int RowGroups => _reader.RowGroupCount;

    public static async Task<FlightFile> OpenAsync(string path, CancellationToken ct)
    {
        if (!File.Exists(path))
            throw new StageFailedException($"There is no file of flights at {path}. Set FlightDelays:Flights in appsettings.json (or the environment variable FlightDelays__Flights) to the Parquet file.");
        var reader = await Guard(path, "opened", () => ParquetReader.CreateAsync(path, cancellationToken: ct));
        try
        {
            return new FlightFile(path, reader, Check(path, reader.Schema));
        }
        catch
        {
            await reader.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Reads the next row group, or returns null where none of its local dates lies in <c>[from, to)</c>: then only the column of dates was read.
    /// </summary>
    public async Task<FlightColumns?> ReadAsync(int rowGroup, DateTime from, DateTime to, CancellationToken ct) =>
        await Guard(_path, $"read at row group {rowGroup + 1} of {RowGroups}", async () =>
        {
            using var group = _reader.OpenRowGroupReader(rowGroup);
            var rows = checked((int)group.RowCount);
            var first = _nextRow;
            _nextRow += rows;
            var date = new DateTime?[rows];
            await group.ReadAsync<DateTime>(_fields["date"], date.AsMemory(), cancellationToken: ct);
            if (Array.TrueForAll(date, d => d < from || d >= to))
                return null;
            var columns = new FlightColumns(first, date, new long?[rows], new long?[rows], new ReadOnlyMemory<char>?[rows], new ReadOnlyMemory<char>?[rows]);
            await group.ReadAsync<long>(_fields["delay"], columns.Delay.AsMemory(), cancellationToken: ct);
            await group.ReadAsync<long>(_fields["distance"], columns.Distance.AsMemory(), cancellationToken: ct);
            await group.ReadAsync<ReadOnlyMemory<char>>(_fields["origin"], columns.Origin.AsMemory(), cancellationToken: ct);
            await group.ReadAsync<ReadOnlyMemory<char>>(_fields["destination"], columns.Destination.AsMemory(), cancellationToken: ct);
            return columns;
        });

    public ValueTask DisposeAsync() => _reader.DisposeAsync();

    private static Dictionary<string, DataField> Check(string path, ParquetSchema schema)
    {
        var found = schema.GetDataFields().ToDictionary(f => f.Name);
        foreach (var (name, type) in Expected)
        {
            if (!found.TryGetValue(name, out var field))
                throw new StageFailedException($"{path} has no column '{name}'; its columns are {string.Join(", ", found.Keys)}. A file of flights has {string.Join(", ", Expected.Select(e => e.Name))}.");
            if (field.ClrType != type)
                throw new StageFailedException($"Column '{name}' of {path} holds {Display(field.ClrType)}; a file of flights has {Display(type)} there. Convert the column.");
        }
        return found;
    }

    private static string Display(Type type) => type == typeof(ReadOnlyMemory<char>) ? "text" : type == typeof(DateTime) ? "timestamps" : type.Name;

    private static async Task<T> Guard<T>(string path, string what, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (e is not (OperationCanceledException or AiWorkflowsException or OutOfMemoryException))
        {
            throw new StageFailedException($"{path} cannot be {what}: {e.Message} The file may be truncated, damaged, or no Parquet file; fetch it again.", e);
        }
    }
}
