using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>The log of a run: its end at first, then the script brings what is new while the run is open.</summary>
internal static class RunLog
{
    public static Markup Panel(RunModel model, PageContext context)
    {
        var filter = model.LogFilter;
        var page = context.Run(model.Run.RunId);
        var choices = Markup.Join(" · ",
        [
            Choice(page, "Everything", filter.Step is null && !filter.WarningsOnly), Choice(page + "?level=warning", "Warnings", filter.WarningsOnly),
            Link(page + "/log.txt" + Query(filter), "Download"),
        ]);
        var steps = model.Steps.Select(step => step.Step).Distinct().ToArray();
        if (steps.Length > 1)
            choices = Fields.Search(page + "#log", Fields.Select("step", "Step", "all", steps, filter.Step), Fields.Select("level", "Level", "all", [("warning", "warnings and errors")], filter.WarningsOnly ? "warning" : null), Fields.Button("Show")) + choices;
        var follow = model.Run.IsOpen
            ? Markup.Of($" data-aw-log=\"{page}/log{Query(filter)}\" data-aw-after=\"{model.LastLogId}\"")
            : Markup.Empty;
        var hint = Markup.Text(model.Run.IsOpen ? "last lines, follows while its end is in view" : "last 500 lines, UTC; all of them by download");
        var lines = model.Log.Count == 0 && !model.Run.IsOpen
            ? Empty(Markup.Text(filter.WarningsOnly ? "No warning and no error." : "No line was written."))
            : Markup.Of($"<pre class=\"aw-log\" tabindex=\"0\" aria-label=\"Log of the run, newest last\"{follow}>{LogMarkup.Lines(model.Log, withStep: true)}</pre>");
        return Components.Panel("Log", lines, hint, choices, id: "log", failed: model.Errors["log"]);
    }

    private static Markup Choice(string url, string text, bool current) => current ? Markup.Of($"<b>{text}</b>") : Link(url + "#log", text);

    private static string Query(DashboardLogFilter filter) =>
        string.Concat(new[] { filter.WarningsOnly ? "level=warning" : null, filter.Step is { } step ? "step=" + Uri.EscapeDataString(step) : null }.OfType<string>().Select((part, i) => (i == 0 ? "?" : "&") + part));

    /// <summary>The filter that a query string asks for.</summary>
    public static DashboardLogFilter FilterOf(PageRequest request) => new(request.Value("step"), null, request.Value("level") == "warning");
}
