using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Dashboard.Rendering;

/// <summary>What a state looks like: the class of its colour, the symbol of its shape, and its word. Never colour alone.</summary>
internal static class Status
{
    public const string Ok = "ok";
    public const string Retry = "retry";
    public const string Bad = "bad";
    public const string Run = "run";
    public const string Wait = "wait";
    public const string Skip = "skip";
    public const string Cancel = "cancel";
    public const string Warn = "warn";
    public const string Pause = "pause";
    public const string None = "none";

    /// <summary>The look of a run's or a stage run's state.</summary>
    public static string Of(string state) => state switch
    {
        States.Succeeded => Ok,
        States.Failed => Bad,
        States.Running => Run,
        States.Requested or States.Pending => Wait,
        States.Skipped => Skip,
        States.Cancelled => Cancel,
        _ => None,
    };

    public static string Word(string look) => look switch
    {
        Ok => "succeeded",
        Retry => "succeeded after a retry",
        Bad => "failed",
        Run => "running",
        Wait => "waiting",
        Skip => "skipped",
        Cancel => "cancelled",
        Warn => "stale",
        Pause => "paused",
        None => "not requested",
        _ => look,
    };

    public static Markup Icon(string look) => Markup.Of($"<svg class=\"aw-i\" aria-hidden=\"true\"><use href=\"#aw-{look}\"/></svg>");

    public static Markup Badge(string look, string? word = null) =>
        Markup.Of($"<span class=\"aw-state is-{(look == Retry ? Ok : look)}\">{Icon(look)}{word ?? Word(look)}</span>");

    public static Markup OfRun(string state, double? progress = null) =>
        Badge(Of(state), state == States.Running && progress is { } share ? $"running, {Format.Percent(share)}" : state == States.Requested ? "requested" : null);
}
