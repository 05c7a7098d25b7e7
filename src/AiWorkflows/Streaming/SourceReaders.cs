using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AiWorkflows.Features;

namespace AiWorkflows.Streaming;

/// <summary>An event on its way from a source into the log.</summary>
/// <param name="Payload">The event as it is kept, or why it cannot be read: see <see cref="Unreadable"/>.</param>
/// <param name="Time">Its event time; null where it cannot be read, or nobody needs it.</param>
internal readonly record struct SourcedEvent(string Position, int Partition, string Payload, DateTime? Time = null);

/// <summary>Reads a source, whatever it is.</summary>
internal interface ISourceReader
{
    int Parts { get; }

    IAsyncEnumerable<SourcedEvent> ReadAsync(int part, string? after, CancellationToken ct);
}

/// <summary>What cannot be read goes into the log all the same, so that it is in quarantine with everything else of its micro-batch.</summary>
internal static class Unreadable
{
    private const char Mark = '!';

    public static string Payload(string text, string reason) => $"{Mark}{reason.ReplaceLineEndings(" ")}\n{text}";

    /// <summary>Null where the payload is an event.</summary>
    public static (string Text, string Reason)? Of(string payload) =>
        payload.Length == 0 || payload[0] != Mark ? null : payload.IndexOf('\n', StringComparison.Ordinal) is var end ? (payload[(end + 1)..], payload[1..end]) : null;
}

/// <summary>A source that somebody has written.</summary>
internal sealed class OwnSource<TEvent>(IStreamSource<TEvent> source, StreamDefinition<TEvent> stream) : ISourceReader where TEvent : class
{
    public int Parts => source.Parts;

    public async IAsyncEnumerable<SourcedEvent> ReadAsync(int part, string? after, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var record in source.ReadAsync(part, after, ct))
            yield return Read(record);
    }

    private SourcedEvent Read(StreamRecord<TEvent> record)
    {
        if (record.Problem is { } problem)
            return new(record.Position, 0, Unreadable.Payload(record.Text ?? "", problem));
        var codec = RowCodec<TEvent>.Instance;
        try
        {
            var e = codec.Canonicalize(record.Event);
            return new(record.Position, stream.PartitionOf(e), codec.Json(e), Timestamps.FromMicros(codec.EventTime(e)));
        }
        catch (StageFailedException error)
        {
            return new(record.Position, 0, Unreadable.Payload(JsonSerializer.Serialize(record.Event), error.Message));
        }
    }
}

/// <summary>Files with an event on each line, in the order of their names; what is written to the last one later, and files that come later, are read then.</summary>
/// <param name="path">A file, or a directory of *.ndjson and *.jsonl.</param>
internal sealed class FileSource(string path, StreamDefinition stream) : ISourceReader
{
    private const int BufferBytes = 1 << 16;

    public int Parts => 1;

    public async IAsyncEnumerable<SourcedEvent> ReadAsync(int part, string? after, [EnumeratorCancellation] CancellationToken ct)
    {
        var (name, offset) = Parse(after);
        foreach (var file in EventFiles.Of(path))
        {
            var current = Path.GetFileName(file);
            if (string.CompareOrdinal(current, name) is var order && name is not null && order < 0)
                continue;
            await foreach (var (line, end) in LinesAsync(file, current == name ? offset : 0, ct))
                if (!string.IsNullOrWhiteSpace(line))
                    yield return Read(line, $"{current}:{end.ToString(CultureInfo.InvariantCulture)}");
        }
    }

    private SourcedEvent Read(string line, string position)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var (partition, json) = stream.Read(document.RootElement, "$");
            return new(position, partition, json);
        }
        catch (Exception e) when (e is JsonException or InstanceException)
        {
            return new(position, 0, Unreadable.Payload(line, e.Message));
        }
    }

    private static (string? Name, long Offset) Parse(string? position)
    {
        if (position is null)
            return (null, 0);
        var colon = position.LastIndexOf(':');
        return (position[..colon], long.Parse(position[(colon + 1)..], CultureInfo.InvariantCulture));
    }

    /// <summary>The complete lines behind an offset, each with the offset of its end: a line without its end may still be being written.</summary>
    private static async IAsyncEnumerable<(string Line, long End)> LinesAsync(string file, long offset, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, BufferBytes, FileOptions.SequentialScan | FileOptions.Asynchronous);
        if (offset > stream.Length)
            throw new InvalidRequestException($"{file} has become shorter than it was when it was read; events are added at the end of a file.");
        stream.Position = offset;
        var (buffer, filled) = (new byte[BufferBytes], 0);
        while (true)
        {
            if (filled == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            var read = await stream.ReadAsync(buffer.AsMemory(filled), ct);
            if (read == 0)
                yield break;
            filled += read;
            var start = 0;
            while (buffer.AsSpan(start, filled - start).IndexOf((byte)'\n') is var length and >= 0)
            {
                offset += length + 1;
                yield return (System.Text.Encoding.UTF8.GetString(buffer, start, length), offset);
                start += length + 1;
            }
            Buffer.BlockCopy(buffer, start, buffer, 0, filled - start);
            filled -= start;
        }
    }
}
