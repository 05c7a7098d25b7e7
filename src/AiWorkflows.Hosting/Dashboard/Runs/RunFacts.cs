using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>The numbers at the head of a run, and why they are so.</summary>
internal static class RunFacts
{
    public static Markup Render(RunModel model, IReadOnlyList<StepGroup> groups, PageContext context)
    {
        var attempts = model.Steps.Sum(step => model.Attempts[step.StageRunId].Count());
        var failed = model.Steps.Sum(step => model.Attempts[step.StageRunId].Count(attempt => attempt.Outcome is "failed" or "lost"));
        var tried = model.Steps.Count(step => model.Attempts[step.StageRunId].Any());
        var published = model.Outputs.Where(output => output.Type != "version" && output.State == "published").Sum(output => output.Rows);
        string[] hosts = [.. model.Steps.Select(step => step.Host).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        return Facts(
            Progress(model, groups, context),
            Duration(model, context),
            Fact("Rows read", Text(Format.Number(model.Steps.Sum(step => step.RowsRead)))),
            Fact("Rows written", Text(Format.Number(model.Steps.Sum(step => step.RowsWritten))), Text(published > 0 ? $"{Format.Number(published)} published" : model.Run.IsOpen ? "nothing published yet" : "nothing published")),
            Fact("Attempts", Markup.Of($"{Format.Number(attempts)} {Small($"for {Format.Count(tried, "step")}")}"), Text(failed == 0 ? "none failed" : $"{Format.Count(failed, "attempt")} failed or lost")),
            ReadAsOf(groups),
            Fact("Hosts", Text(Format.Number(hosts.Length)), Text(hosts.Length == 0 ? "not claimed yet" : Format.Shorten(string.Join(", ", hosts.Select(Format.Host)), 40))));
    }

    private static Markup Text(string text) => Markup.Text(text);

    private static Markup Progress(RunModel model, IReadOnlyList<StepGroup> groups, PageContext context)
    {
        var run = model.Run;
        var done = model.Steps.Count(step => step.State is States.Succeeded or States.Skipped);
        if (run.State == States.Running)
            return Fact("Progress", Markup.Of($"{Format.Percent(model.Share)} {Small(TimeLeft(model, context) is { } left ? $"· about {Format.Coarse(left)} left" : "")}"),
                Text($"{done} of {Format.Count(model.Steps.Count, "step")} done"));
        string[] others = [.. new[] { States.Failed, States.Skipped, States.Cancelled, States.Pending }
            .Select(state => (state, Count: groups.Count(group => group.State == state))).Where(x => x.Count > 0)
            .Select(x => $"{x.Count} {(x.state == States.Pending ? "waiting" : x.state)}")];
        var note = run.State == States.Requested ? "starts within two seconds where a host is free" : others.Length > 0 ? string.Join(", ", others) : "all of them";
        return Fact("Steps done", Markup.Of($"{groups.Count(group => group.State == States.Succeeded)} {Small($"of {groups.Count}")}"), Text(note));
    }

    private static TimeSpan? TimeLeft(RunModel model, PageContext context) =>
        model.Share > 0.15 && model.Run.StartedAt is { } start && context.Now > start.Value ? (context.Now - start.Value) * ((1 - model.Share) / model.Share) : null;

    private static Markup Duration(RunModel model, PageContext context)
    {
        var run = model.Run;
        var last = model.Previous is { StartedAt: { } start, FinishedAt: { } end } ? $"last succeeded run {Format.Duration(end.Value - start.Value)}" : "no succeeded run before it";
        return run.StartedAt is not { } started ? Fact("Waiting for", Text(Format.Duration(context.Now - run.RequestedAt.Value)), Text(last))
            : run.FinishedAt is { } finished ? Fact("Took", Text(Format.Duration(finished.Value - started.Value)), Text(last))
            : Fact("Running for", Text(Format.Duration(context.Now - started.Value)), Text(last));
    }

    private static Markup ReadAsOf(IReadOnlyList<StepGroup> groups) =>
        groups.Where(group => group.First.AsOfSeq is not null).MaxBy(group => group.First.AsOfSeq) is { } latest
            ? Fact("Read as of", Text($"seq {Format.Number(latest.First.AsOfSeq!.Value)}"), Text($"of {Format.Shorten(latest.Step, 30)}"))
            : Fact("Read as of", Text("–"), Text("fixed when the first step starts"));
}
