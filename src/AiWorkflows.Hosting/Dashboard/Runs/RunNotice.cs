using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>What went wrong, what is not damaged, and what resuming does.</summary>
internal static class RunNotice
{
    private const int ErrorLength = 4_000;

    public static Markup Render(RunModel model, IReadOnlyList<StepGroup> groups) => model.Run.State switch
    {
        States.Failed => Failed(model, groups),
        States.Cancelled => Notice(Status.Warn, Markup.Of(
            $"<p><b>This run was cancelled{(model.Run.Reason is { Length: > 0 } reason ? ": " + reason : "")}.</b> {Kept(groups)}</p>")),
        _ when model.Unserved.Count > 0 => Notice(Status.Warn, Markup.Of($"<p><b>Steps wait for a host.</b> {string.Join(" ", model.Unserved.Select(LiveHosts.Describe))}</p>")),
        _ => Markup.Empty,
    };

    private static Markup Failed(RunModel model, IReadOnlyList<StepGroup> groups)
    {
        var failed = groups.Where(group => group.State == States.Failed).ToArray();
        if (failed.Length == 0)
            return Notice(Status.Bad, Markup.Of($"<p><b>The run failed.</b> {Kept(groups)}</p>{Error(model.Run.Error)}"));
        var first = failed[0];
        var part = first.Parts.First(p => p.State == States.Failed);
        var where = first.IsPartitioned ? $" on partition {part.Partition + 1} of {first.Parts.Count}" : "";
        var also = failed.Length > 1 ? $" So did {string.Join(", ", failed.Skip(1).Take(5).Select(group => group.Step))}{(failed.Length > 6 ? " and others" : "")}." : "";
        var attempts = part.Attempt > 1 ? $", after {Format.Count(part.Attempt, "attempt")}" : "";
        return Notice(Status.Bad, Markup.Of(
            $"<p><b>{first.Step} failed{where}{attempts}.</b>{also} Nothing of it is visible to anyone; its window counts as not covered.</p>{Error(part.Error ?? model.Run.Error)}<p class=\"aw-small\">{Kept(groups)}</p>"));
    }

    private static Markup Error(string? error) => error is { Length: > 0 } ? Markup.Of($"<pre>{Format.Shorten(error, ErrorLength)}</pre>") : Markup.Empty;

    private static string Kept(IReadOnlyList<StepGroup> groups)
    {
        var done = groups.Count(group => group.State == States.Succeeded);
        return done == 0 ? "Resuming starts it from the beginning." : $"Resuming keeps the {Format.Count(done, "step")} that succeeded and goes on from there.";
    }
}
