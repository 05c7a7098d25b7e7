using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>Log lines: time, step, message; warnings and errors coloured. One element a line, so that the script can drop the oldest.</summary>
internal static class LogMarkup
{
    private const int StepWidth = 24;

    public static Markup Lines(IEnumerable<DashboardLogLine> lines, bool withStep) => Markup.Concat(lines.Select(line => Line(line, withStep)));

    public static string StepName(string step, int partition, int partitions) => partitions > 1 ? $"{step} {partition + 1}/{partitions}" : step;

    private static Markup Line(DashboardLogLine line, bool withStep)
    {
        var step = withStep
            ? Markup.Of($"<span class=\"s\">{(line.Step is { } name ? StepName(name, line.Partition, line.Partitions) : "run").PadRight(StepWidth)}</span> ")
            : Markup.Empty;
        var message = line.Level switch
        {
            "error" => Markup.Of($"<span class=\"e\">{line.Message}</span>"),
            "warning" => Markup.Of($"<span class=\"w\">{line.Message}</span>"),
            _ => Markup.Text(line.Message),
        };
        return Markup.Of($"<span><span class=\"t\">{Format.Millis(line.LoggedAt.Value)}</span> {step}{message}\n</span>");
    }
}
