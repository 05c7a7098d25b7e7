using Apache.Arrow;
using Apache.Arrow.Ipc;

namespace AiWorkflows.Training;

/// <summary>A materialised dataset, opened for reading: record batches in event-time order, mapped into memory up to 2 GB, streamed beyond.</summary>
internal sealed class DatasetFile : IDisposable
{
    public const int BatchRows = 16_384;
    public const string LabelColumn = "label";
    public const string EventTimeColumn = "event_time";
    public const string EntityKeyColumn = "entity_key";

    /// <summary>The file format is the stream format behind these bytes, with a footer.</summary>
    private const int MagicLength = 8;

    private readonly string _path;
    private readonly MappedFile? _mapped;
    private readonly List<RecordBatch> _batches = [];

    /// <param name="mostMapped">Larger files are streamed; one memory can hold no more than the default.</param>
    public DatasetFile(string path, long mostMapped = int.MaxValue)
    {
        _path = path;
        if (new FileInfo(path).Length > mostMapped)
        {
            foreach (var batch in Stream())
                Rows += batch.Length;
            return;
        }
        _mapped = new(path);
        using var reader = new ArrowStreamReader(_mapped.Memory[MagicLength..]);
        while (reader.ReadNextRecordBatch() is { } batch)
        {
            _batches.Add(batch);
            Rows += batch.Length;
        }
    }

    public long Rows { get; }

    /// <summary>The record batches, in order. A batch is valid until the next is asked for.</summary>
    public IEnumerable<RecordBatch> Batches() => _mapped is null ? Stream() : _batches;

    /// <summary>Number of rows with an event time before <paramref name="time"/>: the first row at or after it.</summary>
    public long RowsBefore(DateTime time)
    {
        var (micros, before) = (Timestamps.ToMicros(time), 0L);
        foreach (var batch in Batches())
        {
            var times = ((TimestampArray)batch.Column(EventTimeColumn)).Values;
            if (times.Length == 0 || times[^1] < micros)
            {
                before += batch.Length;
                continue;
            }
            var (low, high) = (0, times.Length);
            while (low < high)
            {
                var middle = (low + high) / 2;
                (low, high) = times[middle] < micros ? (middle + 1, high) : (low, middle);
            }
            return before + low;
        }
        return before;
    }

    public void Dispose()
    {
        foreach (var batch in _batches)
            batch.Dispose();
        _batches.Clear();
        (_mapped as IDisposable)?.Dispose();
    }

    private IEnumerable<RecordBatch> Stream()
    {
        using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        file.Position = MagicLength;
        using var reader = new ArrowStreamReader(file);
        while (reader.ReadNextRecordBatch() is { } batch)
            using (batch)
                yield return batch;
    }
}
