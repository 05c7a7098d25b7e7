using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Streaming;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>streams replay NAME [FROM]</c>: events of files or of the declared source, taken in as if they had been pushed. Chunks are named by what they hold, so that the same file again brings nothing new.</summary>
internal static class StreamReplay
{
    private const int Chunk = 5_000;

    /// <summary>Who is further ahead of the stream waits, so that the log of events does not grow without bound.</summary>
    private const long MostAhead = 500_000;

    public static async Task<int> RunAsync(Invocation i, string name, string? from)
    {
        var stream = i.Context.Catalog.Stream(name);
        var given = from is null ? FromDeclared(i, stream) : FromFiles(stream, EventFiles.Of(from), i.Ct);
        await i.Context.Get<Migrator>().MigrateAsync(i.Ct);
        var store = i.Context.Get<IStreamStore>();
        await store.RegisterAsync([stream], onlyHost: false, i.Ct);
        var (taken, repeated) = (0L, 0L);
        var (events, content) = (new List<(int, string)>(Chunk), new StringBuilder());
        await foreach (var (e, text) in given)
        {
            events.Add(e);
            content.Append(text).Append('\n');
            if (events.Count == Chunk)
                await TakeAsync();
        }
        await TakeAsync();
        i.Output.Object(new { stream = name, events = taken, repeated }, () => i.Output.Line(
            $"{taken.ToString("N0", CultureInfo.InvariantCulture)} events are in stream {name}{(repeated > 0 ? $"; {repeated.ToString("N0", CultureInfo.InvariantCulture)} had been brought before" : "")}. `streams show {name}` tells how far it is."));
        return 0;

        async Task TakeAsync()
        {
            if (events.Count == 0)
                return;
            while ((await store.PartitionsAsync(i.Ct)).Where(p => p.Stream == name).Sum(p => p.Head - p.Committed) > MostAhead)
                await Task.Delay(TimeSpan.FromMilliseconds(500), i.Ct);
            var key = "replay:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content.ToString())));
            if ((await store.AppendAsync([new(name, key, [.. events])], i.Ct))[0])
                taken += events.Count;
            else
                repeated += events.Count;
            events.Clear();
            content.Clear();
        }
    }

    private static async IAsyncEnumerable<((int, string) Event, string Text)> FromFiles(StreamDefinition stream, IReadOnlyList<string> files, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var file in files)
        {
            var number = 0L;
            await foreach (var line in File.ReadLinesAsync(file, ct))
            {
                number++;
                if (!string.IsNullOrWhiteSpace(line))
                    yield return (Read(stream, line, file, number), line);
            }
        }
    }

    /// <exception cref="InvalidRequestException">Nothing is declared.</exception>
    private static IAsyncEnumerable<((int, string) Event, string Text)> FromDeclared(Invocation i, StreamDefinition stream)
    {
        var reader = stream.OpenReplay(i.Context.Services)
            ?? throw new InvalidRequestException($"Stream {stream.Name} does not say what it is replayed from: name a file, as in 'streams replay {stream.Name} events.ndjson', or declare it with s.Replay<…>().");
        return Enumerable.Range(0, reader.Parts).ToAsyncEnumerable().SelectMany(part => reader.ReadAsync(part, null, i.Ct)).Select(e => ((e.Partition, e.Payload), e.Payload));
    }

    private static (int, string) Read(StreamDefinition stream, string line, string file, long number)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return stream.Read(document.RootElement, "$");
        }
        catch (JsonException e)
        {
            throw new InvalidRequestException($"{file}, line {number}: no JSON. {e.Message}", e);
        }
        catch (InstanceException e)
        {
            throw new InvalidRequestException($"{file}, line {number}, {e.Field}: {e.Problem}", e);
        }
    }
}
