using System.CommandLine;
using System.Globalization;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>streams list|show|replay</c></summary>
internal static class StreamCommands
{
    public static Command Create(CliContext context)
    {
        var name = Build.Name("NAME", "Name of the stream.");
        var from = Build.Name("FROM", "A file of NDJSON (an event on each line), or a directory of such files (*.ndjson, *.jsonl), which are read in the order of their names. Without it, what the stream declares with Replay.");
        from.Arity = ArgumentArity.ZeroOrOne;
        return Build.Group("streams", "Streams of events: list, show, replay.",
            Build.Reading(context, "list", "Lists the streams: how far behind they are, how fast, and how many events came late or twice.", ListAsync),
            Build.Reading(context, "show", "Shows a stream with its partitions: who works on each, lag, watermark, late events.", i => ShowAsync(i, i.Value(name)), name),
            Build.Acting(context, "replay", "Brings events of files, or of what the stream is replayed from, into a stream, as if they were pushed; what has come before comes once. A serving host works on them.", i => StreamReplay.RunAsync(i, i.Value(name), i.Parsed.GetValue(from)), name, from));
    }

    private static async Task ListAsync(Invocation i) => i.Output.List(await i.Context.Get<StreamReports>().ListAsync(i.Ct), "No streams; define one with ai.Stream<TEvent>(…).",
        new("stream", s => s.Name), new("events in", s => s.Group), new("partitions", s => Number(s.Partitions.Count), Right: true), new("behind", s => Number(s.LagEvents), Right: true),
        new("for", s => Seconds(s.LagSeconds), Right: true), new("a second", s => Rate(s.EventsPerSecond), Right: true), new("watermark", s => Format.Time(s.Watermark)),
        new("events", s => Number(s.Events), Right: true), new("late", s => Number(s.Late), Right: true), new("twice", s => Number(s.Duplicates), Right: true),
        new("refused", s => Number(s.Refused), Right: true), new("", s => s.Error is null ? "" : "stands still"));

    private static async Task ShowAsync(Invocation i, string name)
    {
        var stream = await i.Context.Get<StreamReports>().FindAsync(name, i.Ct) ?? throw NearMatches.Unknown("stream", name, i.Context.Catalog.Streams.Select(s => s.Name));
        i.Output.Object(stream, () =>
        {
            i.Output.Fields(
                ("stream", stream.Name), ("events in", stream.Group), ("feeds", string.Join(", ", stream.Feeds)), ("lateness", Seconds(stream.LatenessSeconds)),
                ("behind", $"{Number(stream.LagEvents)} events, {Seconds(stream.LagSeconds)}"), ("rate", $"{Rate(stream.EventsPerSecond)} events a second over five minutes"),
                ("watermark", Format.Time(stream.Watermark)), ("events", Number(stream.Events)), ("late", Number(stream.Late)), ("twice", Number(stream.Duplicates)), ("refused", Number(stream.Refused)),
                ("stands still", stream.Error));
            i.Output.Heading("Partitions");
            i.Output.Table(stream.Partitions, new("partition", p => Number(p.Partition), Right: true), new("host", p => p.Host), new("taken in", p => Number(p.Head), Right: true),
                new("published", p => Number(p.Committed), Right: true), new("behind", p => Number(p.LagEvents), Right: true), new("for", p => Seconds(p.LagSeconds), Right: true),
                new("watermark", p => Format.Time(p.Watermark)), new("late", p => Number(p.Late), Right: true), new("twice", p => Number(p.Duplicates), Right: true),
                new("refused", p => Number(p.Refused), Right: true), new("", p => p.Error is null ? "" : Format.OneLine(p.Error, 200)));
            if (stream.Sources.Count == 0)
                return;
            i.Output.Heading("Source");
            i.Output.Table(stream.Sources, new("part", s => Number(s.Source), Right: true), new("host", s => s.Host), new("read up to", s => s.Offset), new("", s => s.Error is null ? "" : Format.OneLine(s.Error, 200)));
        });
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Rate(double value) => value.ToString(value < 10 ? "0.0" : "N0", CultureInfo.InvariantCulture);

    private static string Seconds(double value) => Format.Seconds(value);
}
