using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Jobs;

/// <summary>Progress and log of a job, on Hangfire's own job page.</summary>
internal static class JobMarkup
{
    public static Markup Render(JobModel model, PageContext context)
    {
        var live = model.IsOpen ? Markup.Of($" data-aw-live=\"{context.Url("/aw/jobs/" + Uri.EscapeDataString(model.JobId))}\" data-aw-every=\"2000\"") : Markup.Empty;
        return Markup.Of(
            $"<div class=\"aw aw-job\" data-aw-now=\"{context.Now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}\"{live}>{Sprite.Symbols}{Parts(model, context)}</div>");
    }

    public static Markup Parts(JobModel model, PageContext context) => Part("progress", Progress(model, context)) + Part("log", Log(model));

    private static Markup Progress(JobModel model, PageContext context)
    {
        var progress = model.Progress;
        var share = progress.Total > 0 ? Math.Clamp(progress.Done / (double)progress.Total, 0, 1) : (double?)null;
        var look = model.HangfireState switch { "Processing" => Status.Run, "Succeeded" => Status.Ok, "Failed" => Status.Bad, "Deleted" => Status.Cancel, _ => Status.Wait };
        var percent = look == Status.Run && share is { } running ? $"running, {Format.Percent(running)}" : model.HangfireState == "Scheduled" ? "waiting to be tried again" : null;
        var bar = look == Status.Ok ? Bar(1, Status.Ok, "done") : share is { } done ? Bar(done, look is Status.Bad ? Status.Bad : Status.Run, Format.Percent(done)) : Markup.Empty;
        return Markup.Of(
            $"<section class=\"aw-panel\"><header><h2>{Status.Badge(look, percent)}</h2></header><div class=\"aw-body\">{bar}{Definitions([.. Facts(model, context)])}</div></section>");
    }

    private static IEnumerable<(string, Markup)> Facts(JobModel model, PageContext context)
    {
        var (progress, step, run) = (model.Progress, model.Step, model.Run);
        var runId = run?.RunId ?? progress.RunId;
        var stage = step is null ? progress.Stage : step.Partitions > 1 ? $"{step.Step}, partition {step.Partition + 1} of {step.Partitions}" : step.Step;
        if (stage.Length > 0)
            yield return ("Stage", runId > 0 ? Link(context.Run(runId), stage) : Markup.Text(stage));
        if (run is not null)
            yield return ("Run", Markup.Of($"{Link(context.Run(run.RunId), run.RunId.ToString(CultureInfo.InvariantCulture))} of {Link(context.WorkflowRuns(run.Workflow), run.Workflow)}, window {Timestamps.Display(run.WindowFrom.Value)} to {Timestamps.Display(run.WindowTo.Value)} UTC"));
        else if (runId > 0)
            yield return ("Run", Link(context.Run(runId), runId.ToString(CultureInfo.InvariantCulture)));
        if (model.IsOpen && (progress.Text.Length > 0 || progress.Total > 0))
            yield return ("Doing", Markup.Text(Doing(model)));
        var (read, written) = model.IsCurrent && step!.State == "succeeded" ? (step.RowsRead, step.RowsWritten) : (progress.RowsRead, progress.RowsWritten);
        if (read > 0 || written > 0)
            yield return ("Rows", Markup.Of($"{Format.Number(read)} read, {Format.Number(written)} written"));
        if (step is not null && model.IsCurrent && step.Attempt > 0)
            yield return ("Attempt", Attempt(step));
        if (step?.AsOfSeq is { } seq)
            yield return ("Reads as of", Mono($"seq {Format.Number(seq)}"));
        if (step is not null && !model.IsCurrent)
            yield return ("Now", Markup.Of($"This job is not the step's current one; the run shows what became of it."));
        if (step?.Error is { Length: > 0 } error && model.IsCurrent)
            yield return ("Error", Markup.Text(Format.Shorten(error, 1_000)));
        else if (step?.Reason is { Length: > 0 } reason && model.IsCurrent)
            yield return ("Reason", Markup.Text(reason));
    }

    private static string Doing(JobModel model)
    {
        var progress = model.Progress;
        var count = progress.Total > 0 ? $"{Format.Number(progress.Done)} of {Format.Number(progress.Total)}" : "";
        return string.Join(" · ", new[] { progress.Text, count }.Where(text => text.Length > 0));
    }

    private static Markup Attempt(DashboardStep step)
    {
        var lease = step is { State: "running", LeaseUntil: { } until } ? $", lease until {Format.Clock(until.Value)} UTC" : "";
        var setbacks = step.Failures + step.Lost > 0 ? $", {step.Failures} of {step.MaxFailures} failures used{(step.Lost > 0 ? $", {step.Lost} lost" : "")}" : "";
        return Markup.Text($"{step.Attempt}{(step.Host is { } host ? " on " + host : "")}{setbacks}{lease}");
    }

    private static Markup Log(JobModel model)
    {
        var lines = model.Progress.Log;
        // The host's log needs the name of the step; the log of its own job does not.
        var prefix = string.Create(CultureInfo.InvariantCulture, $"{model.Progress.Stage} (run {model.Progress.RunId}): ");
        var content = lines.Count == 0
            ? Empty(Markup.Text(model.IsOpen ? "Lines appear here as the job writes them." : "The job wrote no line."))
            : Markup.Of($"<pre class=\"aw-log\" tabindex=\"0\" aria-label=\"Log of the job, newest last\">{lines.Select(line => Line(line, prefix))}</pre>");
        return Components.Panel("Log", content, Markup.Raw("last 200 lines; everything is in <code>workflows.stage_logs</code>"));
    }

    /// <summary>A line is "12:34:56.789 message", the message of a warning or an error beginning with that word.</summary>
    private static Markup Line(string line, string prefix)
    {
        var (time, message) = line.Length > 13 && line[12] == ' ' ? (line[..12], line[13..]) : ("", line);
        foreach (var level in (string[])["", "warning: ", "error: "])
            if (message.StartsWith(level + prefix, StringComparison.Ordinal))
                message = level + message[(level.Length + prefix.Length)..];
        var css = message.StartsWith("error: ", StringComparison.Ordinal) ? "e" : message.StartsWith("warning: ", StringComparison.Ordinal) ? "w" : "";
        return Markup.Of($"<span><span class=\"t\">{time}</span> <span class=\"{css}\">{message}</span>\n</span>");
    }
}
