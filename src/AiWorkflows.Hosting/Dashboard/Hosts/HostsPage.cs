using System.Globalization;
using System.Text.Json;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Hosts;

/// <param name="Hosts">The last sign of life first.</param>
/// <param name="Running">Steps that somebody executes.</param>
/// <param name="Waiting">What waits in each queue.</param>
/// <param name="Unserved">Of it, the queues that no live host takes anything from.</param>
internal sealed record HostsModel(IReadOnlyList<HostRecord> Hosts, IReadOnlyList<DashboardStep> Running, IReadOnlyList<QueueState> Waiting, IReadOnlyList<QueueState> Unserved)
{
    /// <summary>Which panels could not be read.</summary>
    public PanelErrors Errors { get; init; } = PanelErrors.None;
}

/// <summary>Who works: each host with its queues, what it runs and when it was last heard of.</summary>
internal sealed class HostsPage : DashboardPage
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(35);

    public override string Section => "hosts";

    public override async Task<PageContent> LoadAsync(PageRequest request) => Render(await request.Reader.HostsAsync().ConfigureAwait(false), request.Context);

    internal static PageContent Render(HostsModel model, PageContext context)
    {
        var alive = model.Hosts.Where(host => IsAlive(host, context)).ToArray();
        return new()
        {
            Title = "Hosts",
            Section = "hosts",
            Subtitle = Markup.Raw("Programs that share this store. Any of them takes what is ready; one that falls silent gives its steps up when their leases end."),
            Body = Markup.Of(
                $"""
                {Part("notice", Markup.Concat(model.Unserved.Select(queue => Notice(Status.Warn, Markup.Of($"<p>{LiveHosts.Describe(queue)}</p>")))))}{Part("facts", Facts(
                    Fact("Alive", Markup.Text(Format.Number(alive.Length)), Markup.Text($"of {Format.Count(model.Hosts.Count, "host")} seen lately")),
                    Fact("Workers", Markup.Text(Format.Number(alive.Sum(host => Queues(host).Sum(queue => queue.Value)))), Markup.Raw("in all queues")),
                    Fact("Running", Markup.Of($"{model.Running.Count} <small>steps</small>"), Markup.Text(Format.Count(model.Running.Select(step => step.RunId).Distinct().Count(), "run"))),
                    Fact("Waiting", Markup.Of($"{model.Waiting.Sum(queue => queue.Waiting)} <small>steps</small>"), Markup.Text(model.Waiting.Count == 0 ? "nothing waits" : $"longest {Format.Duration(model.Waiting.Max(queue => queue.Oldest))}")),
                    Fact("Code", Markup.Text(Format.Count(alive.Select(host => host.CodeVersion).Distinct().Count(), "version")), Markup.Raw("among those alive"))))}{Components.Panel("Hosts", List(model, context), part: "hosts")}<div class="aw-grid"><div class="aw-c8">{Components.Panel("Running", Running(model, context), part: "running", failed: model.Errors["running"])}</div><div class="aw-c4">{Components.Panel("Queues", Waiting(model, alive), part: "queues", failed: model.Errors["queues"])}</div></div>
                """),
            LiveUrl = context.Url("/hosts/parts"),
            Sql = SuggestedQueries.Hosts,
        };
    }

    private static Markup List(HostsModel model, PageContext context) => model.Hosts.Count == 0 ? Empty(Markup.Raw("No host has been seen. <code>serve</code> starts one.")) : Table.Of("Hosts", "",
        [Table.Heading("Host"), Table.Heading("State"), Table.Heading("Kind"), Table.Heading("Queues and workers"), Table.Heading("Runs"), Table.Heading("Code"), Table.NumberHeading("Started"), Table.NumberHeading("Last sign of life")],
        model.Hosts.Select(host => Table.Row(
            Markup.Of($"<span data-tip=\"{host.Host}\">{Format.Host(host.Host)}</span>{(host.Url is { } url ? Note(Markup.Text(url)) : Markup.Empty)}"),
            Table.Cell(IsAlive(host, context) ? Status.Badge(Status.Ok, "alive") : Status.Badge(Status.None, "silent")), Table.Cell(host.Kind),
            Table.Cell(string.Join(", ", Queues(host).Select(queue => $"{queue.Key} {queue.Value.ToString(CultureInfo.InvariantCulture)}"))),
            Table.Cell(model.Running.Where(step => step.Host == host.Host).ToArray() is { Length: > 0 } steps ? Markup.Join(", ", steps.Take(3).Select(step => Step(step, context))) + Markup.When(steps.Length > 3, Muted($" and {steps.Length - 3} more")) : Muted("nothing")),
            Table.Cell(Markup.Of($"<span class=\"aw-mono\" data-tip=\"{host.CodeVersion}\">{Format.Code(host.CodeVersion)}</span>")), Table.Number(context.Time(host.StartedAt)), Table.Number(context.Time(host.LastSeen)))));

    private static Markup Step(DashboardStep step, PageContext context) => Link($"{context.Run(step.RunId)}", $"{Format.Shorten(step.Step, 40)}{(step.Partitions > 1 ? string.Create(CultureInfo.InvariantCulture, $" {step.Partition + 1} of {step.Partitions}") : "")}");

    private static Markup Running(HostsModel model, PageContext context) => model.Running.Count == 0 ? Empty(Markup.Raw("Nothing is running.")) : Table.Of("Running steps", "aw-tight",
        [Table.Heading("Step"), Table.Heading("Host"), Table.HiddenHeading("Progress"), Table.NumberHeading("For"), Table.NumberHeading("Run")],
        model.Running.Select(step => Table.Row(Step(step, context), Table.Cell(Format.Host(step.Host ?? "")), Table.Cell(step.Share is { } share ? Bar(share, Status.Run, Format.Percent(share), 90) : Muted(step.ProgressText ?? "")),
            Table.Number(step.StartedAt is { } start ? Format.Duration(context.Now - start.Value) : ""), Table.Number(Link(context.Run(step.RunId), step.RunId.ToString(CultureInfo.InvariantCulture))))));

    private static Markup Waiting(HostsModel model, HostRecord[] alive)
    {
        var workers = alive.SelectMany(Queues).GroupBy(queue => queue.Key).ToDictionary(queue => queue.Key, queue => queue.Sum(q => q.Value));
        string[] names = [.. workers.Keys.Union(model.Waiting.Select(queue => queue.Queue)).Order(StringComparer.Ordinal)];
        return names.Length == 0 ? Empty(Markup.Raw("No host serves a queue.")) : Table.Of("Queues", "aw-tight", [Table.Heading("Queue"), Table.NumberHeading("Workers"), Table.NumberHeading("Waiting"), Table.NumberHeading("Longest")], names.Select(name =>
        {
            var waiting = model.Waiting.FirstOrDefault(queue => queue.Queue == name);
            return Table.Row(Markup.Text(name), Table.Number(workers.GetValueOrDefault(name)), Table.Number(waiting?.Waiting ?? 0), Table.Number(waiting is null ? "" : Format.Duration(waiting.Oldest)));
        }));
    }

    private static bool IsAlive(HostRecord host, PageContext context) => host.LastSeen > context.Now - Silence;

    private static Dictionary<string, int> Queues(HostRecord host) => JsonSerializer.Deserialize<Dictionary<string, int>>(host.QueuesJson) ?? [];
}
