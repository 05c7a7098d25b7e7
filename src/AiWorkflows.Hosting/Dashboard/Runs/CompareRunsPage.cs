using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>What a run of the comparison was made of.</summary>
internal sealed record ComparedRun(DashboardRun Run, IReadOnlyList<StepGroup> Steps, IReadOnlyList<DashboardOutput> Outputs);

/// <param name="B">The later run; null where none was named and there is none before it.</param>
internal sealed record RunComparison(ComparedRun A, ComparedRun? B);

/// <summary>Two runs side by side: which stage took longer, read or wrote something else, and what they made.</summary>
internal sealed class CompareRunsPage : DashboardPage
{
    public override string Section => "runs";

    public override async Task<PageContent> LoadAsync(PageRequest request)
    {
        var text = request.Uri.Groups["id"].Value;
        var other = request.Number("with");
        if (request.Value("with") is { } with && other is null)
            throw new NoSuchPageException($"'{with}' is no id of a run; write a number.");
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && await request.Reader.CompareRunsAsync(id, other).ConfigureAwait(false) is { } model
            ? Render(model, request.Context) : throw new NoSuchPageException($"There is no run {text}{(other is { } second ? $", or no run {Text(second)}," : "")} in the ledger.");
    }

    internal static PageContent Render(RunComparison model, PageContext context)
    {
        var (a, b) = (model.A, model.B);
        return new()
        {
            Title = b is null ? $"Run {Text(a.Run.RunId)}" : $"Runs {Text(a.Run.RunId)} and {Text(b.Run.RunId)}",
            Section = "runs",
            Crumb = Markup.Of($"{Link(context.WorkflowRuns(a.Run.Workflow), a.Run.Workflow)} / {Link(context.Run(a.Run.RunId), $"Run {Text(a.Run.RunId)}")}"),
            Subtitle = Markup.Text(b is null ? "No run before it has succeeded; name another one." : a.Run.Workflow == b.Run.Workflow ? $"Both of {Format.Shorten(a.Run.Workflow, 80)}." : $"Of {Format.Shorten(a.Run.Workflow, 80)} and of {Format.Shorten(b.Run.Workflow, 80)}."),
            Body = Components.Panel("Runs", Body(Fields.Search(context.Run(a.Run.RunId) + "/compare", Fields.Text("with", $"Run {Text(a.Run.RunId)} beside run", b is null ? null : Text(b.Run.RunId), Text(Math.Max(1, a.Run.RunId - 1)), 12, required: true), Fields.Button("Compare"))))
                + (b is null ? Markup.Empty : Components.Panel("In all", Whole(a, b, context)) + Components.Panel("Stages", Stages(a, b, context), Markup.Raw("a step with its partitions in one; the time from its first start to its last end"))
                    + Components.Panel("Published", Published(a, b), Markup.Raw("rows by what was written"))),
        };
    }

    private static Markup Whole(ComparedRun a, ComparedRun b, PageContext context)
    {
        Markup Both(string name, Func<ComparedRun, Markup> of) => Table.Row(Markup.Text(name), Table.Cell(of(a)), Table.Cell(of(b)));
        return Table.Of("The runs", "aw-tight", Headings(a, b, context),
        [
            Both("state", run => Status.OfRun(run.Run.State) + (run.Run.Error is { } error ? Note(Markup.Text(Format.Shorten(Format.FirstLine(error), 160))) : Markup.Empty)),
            Both("window, UTC", run => Markup.Text($"{Timestamps.Display(run.Run.WindowFrom.Value)} to {Timestamps.Display(run.Run.WindowTo.Value)}")),
            Both("took", run => Markup.Text(Took(run.Run, context) is { } took ? Format.Duration(took) : "not started")),
            Both("requested", run => Markup.Of($"{context.Time(run.Run.RequestedAt.Value)} by {Format.Shorten(run.Run.RequestedBy, 60)} ({run.Run.TriggeredBy})")),
            Both("mode", run => Markup.Text(run.Run.Mode.Replace('_', ' ') + (run.Run.Hindsight ? ", with hindsight" : ""))),
            Both("code", run => Mono(Format.Code(run.Run.CodeVersion ?? "–")) + Markup.When(a.Run.CodeVersion != b.Run.CodeVersion, Markup.Of($" {Tag("differs", "warn")}"))),
        ]);
    }

    private static Markup Stages(ComparedRun a, ComparedRun b, PageContext context)
    {
        var (left, right) = (a.Steps.ToDictionary(step => step.Step), b.Steps.ToDictionary(step => step.Step));
        if (left.Count + right.Count == 0)
            return Empty(Markup.Raw("Neither has been planned yet."));
        Markup[] headings =
        [
            Table.Heading("Step"), Table.Heading($"In {Text(a.Run.RunId)}"), Table.Heading($"In {Text(b.Run.RunId)}"), Table.NumberHeading($"Took, {Text(a.Run.RunId)}"), Table.NumberHeading($"Took, {Text(b.Run.RunId)}"), Table.NumberHeading("Difference"),
            Table.NumberHeading($"Wrote, {Text(a.Run.RunId)}"), Table.NumberHeading($"Wrote, {Text(b.Run.RunId)}"), Table.NumberHeading("Difference"),
        ];
        return Table.Of("Steps side by side", "aw-tight", headings, left.Keys.Union(right.Keys).Select(name =>
        {
            var (x, y) = (left.GetValueOrDefault(name), right.GetValueOrDefault(name));
            var (tx, ty) = (x?.Took(context.Now), y?.Took(context.Now));
            return Table.Row(Markup.Text(Format.Shorten(name, 80)), StateOf(x), StateOf(y), Table.Number(tx is { } t ? Format.Duration(t) : "–"), Table.Number(ty is { } u ? Format.Duration(u) : "–"),
                Table.Number(tx is { } one && ty is { } two ? Longer(one, two) : Markup.Empty), Table.Number(x?.RowsWritten), Table.Number(y?.RowsWritten), Table.Number(x is null || y is null ? "" : Format.Number(y.RowsWritten - x.RowsWritten, "+#,0;−#,0;0")));
        }));
    }

    private static Markup StateOf(StepGroup? step) => Table.Cell(step is null ? Muted("not in it") : Status.Badge(step.Look) + Markup.When(step.Setbacks > 0, Markup.Of($" <span class=\"aw-muted aw-small\">{Format.Count(step.Setbacks, "setback")}</span>")));

    /// <summary>Said where it is more than a tenth and more than a second: less is the weather of a machine.</summary>
    private static Markup Longer(TimeSpan one, TimeSpan two)
    {
        var difference = two - one;
        var text = (difference < TimeSpan.Zero ? "−" : "+") + Format.Duration(difference.Duration());
        return difference.Duration() > TimeSpan.FromSeconds(1) && difference.Duration() > one / 10 ? Markup.Of($"<span class=\"{(difference > TimeSpan.Zero ? "aw-t-bad" : "aw-t-ok")}\">{text}</span>") : Muted(text);
    }

    private static Markup Published(ComparedRun a, ComparedRun b)
    {
        var (left, right) = (Sums(a), Sums(b));
        return left.Count + right.Count == 0 ? Empty(Markup.Raw("Neither has published anything."))
            : Table.Of("What they published", "aw-tight", [Table.Heading("What"), Table.NumberHeading($"Run {Text(a.Run.RunId)}"), Table.NumberHeading($"Run {Text(b.Run.RunId)}"), Table.NumberHeading("Difference")], left.Keys.Union(right.Keys).Order(StringComparer.Ordinal).Select(name =>
                Table.Row(Markup.Text(Format.Shorten(name, 100)), Number(left, name), Number(right, name), Table.Number(Format.Number(right.GetValueOrDefault(name) - left.GetValueOrDefault(name), "+#,0;−#,0;0")))));
    }

    private static Markup Number(Dictionary<string, long> sums, string name) => sums.TryGetValue(name, out var rows) ? Table.Number(rows) : Table.Number(Muted("nothing"));

    private static Dictionary<string, long> Sums(ComparedRun run) =>
        run.Outputs.GroupBy(output => output.Type == "version" ? $"examples for {output.Name}" : output.Type == "batch" ? $"predictions of {output.Name}" : output.Name).ToDictionary(output => output.Key, output => output.Sum(o => o.Rows));

    private static Markup[] Headings(ComparedRun a, ComparedRun b, PageContext context) =>
        [Table.HiddenHeading("Of the run"), .. new[] { a, b }.Select(run => Markup.Of($"<th scope=\"col\">{Link(context.Run(run.Run.RunId), $"Run {Text(run.Run.RunId)}")}</th>"))];

    private static TimeSpan? Took(DashboardRun run, PageContext context) => run.StartedAt is not { } start ? null : (run.FinishedAt?.Value ?? context.Now) - start.Value;

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
