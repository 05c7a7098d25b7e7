using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Streams;

/// <summary>The streams of this program: how far behind each is and how fast, who works on each partition, and what came late or twice.</summary>
internal sealed class StreamsPage : DashboardPage
{
    public override string Section => "streams";

    public override async Task<PageContent> LoadAsync(PageRequest request) => Render(await request.Reader.StreamsAsync().ConfigureAwait(false), request.Context);

    internal static PageContent Render(IReadOnlyList<StreamReport> streams, PageContext context) => new()
    {
        Title = "Streams",
        Section = "streams",
        Subtitle = Markup.Raw("Features computed as events arrive, by the pipelines that compute them in batch."),
        Body = streams.Count == 0
            ? Panel("Streams", Empty(Markup.Of($"No stream is defined. <code>ai.Stream&lt;TEvent&gt;(…)</code> defines one, and any host that serves works on it.")), part: "streams")
            : Panel("Streams", Overview(streams, context), part: "streams") + Markup.Concat(streams.Select(s => Panel($"Partitions of {s.Name}", Partitions(s, context), part: $"partitions-{s.Name}"))),
        LiveUrl = context.Url("/streams/parts"),
        EveryMilliseconds = 2000,
    };

    private static Markup Overview(IReadOnlyList<StreamReport> streams, PageContext context) => Table.Of("Streams", "",
        [
            Table.Heading("Stream"), Table.Heading("Events in"), Table.Heading("Computes"), Table.NumberHeading("Events a second"), Table.NumberHeading("Behind"), Table.NumberHeading("Watermark, UTC"),
            Table.NumberHeading("Events"), Table.NumberHeading("Late"), Table.NumberHeading("Twice"), Table.NumberHeading("Refused"),
        ],
        streams.Select(s => Table.Row(
            Markup.Text(s.Name) + (s.Error is { } error ? Note(Markup.Of($"<span class=\"aw-t-bad\">stands still: {Format.Shorten(error, 300)}</span>")) : Markup.Empty),
            Table.Cell(Link(context.FeatureGroup(s.Group), s.Group)), Table.Cell(string.Join(", ", s.Feeds)), Table.Number(Format.Number(s.EventsPerSecond, s.EventsPerSecond < 10 ? "0.0" : "0")),
            Table.Number(Behind(s.LagEvents, s.LagSeconds)), Table.Number(s.Watermark is { } mark ? Timestamps.Display(mark) : "–"),
            Table.Number(s.Events), Table.Number(Warned(s.Late)), Table.Number(s.Duplicates), Table.Number(Warned(s.Refused)))));

    private static Markup Partitions(StreamReport stream, PageContext context) => Table.Of($"Partitions of {stream.Name}", "",
        [
            Table.Heading("Partition"), Table.Heading("Host"), Table.NumberHeading("Taken in"), Table.NumberHeading("Published"), Table.NumberHeading("Behind"), Table.NumberHeading("Watermark, UTC"),
            Table.NumberHeading("Late"), Table.NumberHeading("Twice"), Table.NumberHeading("Refused"), Table.NumberHeading("Changed"),
        ],
        stream.Partitions.Select(p => Table.Row(
            Markup.Text(Format.Number(p.Partition)) + (p.Error is { } error ? Note(Markup.Of($"<span class=\"aw-t-bad\">{Format.Shorten(error, 300)}</span>")) : Markup.Empty),
            Table.Cell(p.Host is { } host ? Mono(Format.Host(host)) : Muted("nobody")), Table.Number(p.Head), Table.Number(p.Committed), Table.Number(Behind(p.LagEvents, p.LagSeconds)),
            Table.Number(p.Watermark is { } mark ? Timestamps.Display(mark) : "–"), Table.Number(Warned(p.Late)), Table.Number(p.Duplicates), Table.Number(Warned(p.Refused)), Table.Number(context.Time(p.UpdatedAt)))));

    private static Markup Behind(long events, double seconds) => events == 0 ? Muted("nothing") : Markup.Text($"{Format.Number(events)}, {Format.Duration(TimeSpan.FromSeconds(seconds))}");

    private static Markup Warned(long count) => count == 0 ? Markup.Text("0") : Markup.Of($"<span class=\"aw-t-warn\">{Format.Number(count)}</span>");
}
