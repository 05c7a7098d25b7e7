using AiWorkflows.Hosting.Dashboard.Charts;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>The steps of a run as a table whose last column is real time: it reads and it shows.</summary>
internal sealed class RunTimeline
{
    /// <summary>A step with more partitions shows those that matter and adds up the others.</summary>
    private const int MostPartitions = 50;
    private const int SlowestShown = 5;
    private const int NameLength = 40;

    private readonly RunModel _model;
    private readonly PageContext _context;
    private readonly TimeAxis _axis;
    private readonly bool _running;

    private RunTimeline(RunModel model, PageContext context)
    {
        (_model, _context) = (model, context);
        _running = model.Run.State == States.Running;
        var starts = model.Steps.SelectMany(step => model.Attempts[step.StageRunId]).Select(attempt => attempt.StartedAt.Value)
            .Concat(model.Steps.Select(step => step.StartedAt?.Value).OfType<DateTime>()).ToArray();
        var start = starts.Length > 0 ? starts.Min() : model.Run.StartedAt?.Value ?? model.Run.RequestedAt.Value;
        var ends = model.Steps.SelectMany(step => model.Attempts[step.StageRunId]).Select(attempt => attempt.EndedAt?.Value)
            .Concat(model.Steps.Select(step => step.FinishedAt?.Value)).OfType<DateTime>().ToArray();
        var end = _running ? context.Now : ends.Length > 0 ? ends.Max() : model.Run.FinishedAt?.Value ?? start;
        _axis = new TimeAxis(start, end < start ? start : end);
    }

    public static Markup Panel(RunModel model, IReadOnlyList<StepGroup> groups, PageContext context)
    {
        if (groups.Count == 0)
            return Markup.Empty;
        var timeline = new RunTimeline(model, context);
        var key = Key(("ok", "succeeded"), ("run", "running"), ("bad", "failed"), ("lostkey", "attempt that was tried again"));
        return Components.Panel("Timeline", timeline.Render(groups), Markup.Raw("real time, UTC"), key, part: "timeline", failed: model.Errors["timeline"]);
    }

    private Markup Render(IReadOnlyList<StepGroup> groups)
    {
        Markup[] headings =
        [
            Table.Heading("Step, partition"), Table.Heading("State"), Table.Heading("Host"), Table.NumberHeading("Attempt"), Table.NumberHeading("Rows read"),
            Table.NumberHeading("Rows written"), Table.NumberHeading("Time"), Table.Heading("Job"),
            Markup.Of($"<th scope=\"col\" class=\"aw-tl\"><span class=\"aw-sr\">Timeline, UTC</span>{_axis.Header()}</th>"),
        ];
        return Table.Of("Steps and partitions with their time line", "aw-tight aw-gantt", headings, groups.SelectMany(Rows));
    }

    private IEnumerable<Markup> Rows(StepGroup group)
    {
        if (!group.IsPartitioned)
            return [Row(group.Step, group.First, "", group.Anchor)];
        var parts = group.Parts.Count <= MostPartitions ? group.Parts : Matter(group.Parts);
        var rest = group.Parts.Except(parts).ToArray();
        return [Summary(group), .. parts.Select(part => Row($"{part.Partition + 1} of {group.Parts.Count}", part, "aw-sub-row", $"step-{part.StageRunId}-{part.Partition}")),
            .. rest.Length == 0 ? [] : new[] { Others(new StepGroup(group.Step, rest)) }];
    }

    private static IReadOnlyList<DashboardStep> Matter(IReadOnlyList<DashboardStep> parts)
    {
        var slowest = parts.Where(part => part is { StartedAt: not null, FinishedAt: not null, State: States.Succeeded })
            .OrderByDescending(part => part.FinishedAt!.Value.Value - part.StartedAt!.Value.Value).Take(SlowestShown);
        return [.. parts.Where(part => part.State is States.Failed or States.Running).Concat(slowest).Distinct().OrderBy(part => part.Partition)];
    }

    private Markup Row(string name, DashboardStep step, string css, string anchor)
    {
        var attempts = _model.Attempts[step.StageRunId].ToArray();
        var took = step.StartedAt is not { } start ? (TimeSpan?)null
            : step.FinishedAt is { } end ? end.Value - start.Value : step.State == States.Running ? _context.Now - start.Value : null;
        var state = Status.Badge(
            step.State == States.Succeeded && step.Failures + step.Lost > 0 ? Status.Retry : Status.Of(step.State),
            step.Share is { } share ? $"running, {Format.Percent(share)}" : step.State == States.Succeeded ? "succeeded" : null);
        return Markup.Of(
            $"""
            <tr class="{css}" id="{anchor}"><th scope="row">{Name(name)}</th><td>{state}</td><td class="aw-muted aw-nowrap">{(step.Host is { } host ? Format.Host(host) : "")}</td>{Table.Number(step.Attempt > 0 ? step.Attempt : null)}{Table.Number(Rows(step.RowsRead, step))}{Table.Number(Rows(step.RowsWritten, step))}{Table.Number(took is { } time ? Format.Duration(time) : null)}{Table.Cell(Job(step))}<td class="aw-tl">{_axis.Lane(Bars(step, attempts))}</td></tr>
            """);
    }

    private Markup Summary(StepGroup group)
    {
        var hosts = group.Parts.Select(part => part.Host).OfType<string>().Distinct().Count();
        var state = Status.Badge(group.Look, group.Share is { } share ? $"running, {Format.Percent(share)}" : null);
        return Markup.Of(
            $"""
            <tr id="{group.Anchor}"><th scope="row">{Name(group.Step)}</th><td>{state}</td><td class="aw-muted">{(hosts > 0 ? Format.Count(hosts, "host") : "")}</td>{Table.Number("")}{Table.Number(group.RowsRead)}{Table.Number(group.RowsWritten)}{Table.Number(group.Took(_context.Now) is { } time ? Format.Duration(time) : null)}{Table.Cell(Markup.Empty)}<td class="aw-tl">{_axis.Lane(Whole(group))}</td></tr>
            """);
    }

    private Markup Others(StepGroup rest) => Markup.Of(
        $"""
        <tr class="aw-sub-row"><th scope="row">{Format.Count(rest.Parts.Count, "other")}</th><td>{Status.Badge(rest.Look)}</td><td></td>{Table.Number("")}{Table.Number(rest.RowsRead)}{Table.Number(rest.RowsWritten)}{Table.Number("")}<td></td><td class="aw-tl">{_axis.Lane(Whole(rest))}</td></tr>
        """);

    private IEnumerable<Markup> Whole(StepGroup group)
    {
        if (group.StartedAt is { } start)
            yield return _axis.Bar(start, group.FinishedAt ?? _context.Now, "aw-f is-" + group.Look, $"{group.Step}, {Format.Count(group.Parts.Count, "partition")}");
        if (_running)
            yield return _axis.Now(_context.Now);
    }

    private IEnumerable<Markup> Bars(DashboardStep step, DashboardAttempt[] attempts)
    {
        foreach (var attempt in attempts)
        {
            var last = attempt.Attempt == step.Attempt;
            var (start, end) = (attempt.StartedAt.Value, attempt.EndedAt?.Value ?? (last && step.State == States.Running ? _context.Now : attempt.StartedAt.Value));
            var css = last && step.State is States.Succeeded or States.Running or States.Failed ? "aw-f is-" + Status.Of(step.State) : "aw-lost";
            var outcome = attempt.Outcome ?? (step.State == States.Running ? "running" : "left open");
            var error = attempt.Error is { } text ? ": " + Format.Shorten(Format.FirstLine(text), 200) : "";
            yield return _axis.Bar(start, end, last ? css : "aw-lost", $"attempt {attempt.Attempt} on {attempt.Host}, {outcome} after {Format.Duration(end - start)}{error}");
        }
        if (attempts.Length == 0 && step.StartedAt is { } started)
            yield return _axis.Bar(started.Value, step.FinishedAt?.Value ?? _context.Now, "aw-f is-" + Status.Of(step.State), step.Step);
        if (step.State is States.Skipped or States.Cancelled && step.Reason is { } reason && attempts.Length == 0)
            yield return TimeAxis.Words(Format.Shorten(reason, 90));
        if (_running)
            yield return _axis.Now(_context.Now);
    }

    /// <summary>A job of another engine is gone, or (in memory, where ids start again) somebody else's.</summary>
    private Markup Job(DashboardStep step) => step.JobId is not { } job ? Markup.Empty
        : step.Engine == _model.EngineId ? Link(_context.Job(job), "#" + Format.Shorten(job, 12), "aw-mono")
        : Markup.Of($"<span class=\"aw-mono aw-muted\" data-tip=\"The job was run by another engine instance and is not kept here.\">#{Format.Shorten(job, 12)}</span>");

    private static Markup Name(string step) => step.Length <= NameLength ? Markup.Text(step)
        : Markup.Of($"<span data-tip=\"{step}\">{Format.Shorten(step, NameLength)}</span>");

    private static long? Rows(long rows, DashboardStep step) => step.StartedAt is null ? null : rows;
}
