using System.CommandLine;
using AiWorkflows.Storage.Retention;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>retention plan|apply</c></summary>
internal static class RetentionCommands
{
    public static Command Create(CliContext context) => Build.Group("retention", "Retention: what is old enough to go, and removing it.",
        Build.Reading(context, "plan", "Shows per class the rows and bytes that would go now; changes nothing.", PlanAsync),
        Build.WithResult(context, "apply", "Removes what plan shows, in small steps, beside running work.", ApplyAsync));

    private sealed record ClassLine(string Class, double? OlderThanHours, long Rows, long Bytes, long Held)
    {
        public static ClassLine Of(RetentionLine line) => new(line.Class.ToString(), line.OlderThan?.TotalHours, line.Rows, line.Bytes, line.Held);
    }

    private static async Task PlanAsync(Invocation i)
    {
        var lines = await i.Context.Get<RetentionWork>().PlanAsync(i.Ct);
        Show(i, lines, "rows", "Nothing is old enough to go.", lines.Any(l => l.Rows > 0) ? "`retention apply` removes it." : null);
    }

    private static async Task<int> ApplyAsync(Invocation i)
    {
        var lines = await i.Context.Get<RetentionWork>().ApplyAsync(CliContext.Who, i.Ct);
        Show(i, lines, "rows removed", "Nothing was old enough to go.", null);
        return 0;
    }

    private static void Show(Invocation i, IReadOnlyList<RetentionLine> lines, string rows, string nothing, string? next)
    {
        i.Output.List(lines.Select(ClassLine.Of).ToList(), "",
            new("class", l => l.Class), new("older than", l => l.OlderThanHours is { } hours ? Format.Age(TimeSpan.FromHours(hours)) : "kept for ever"),
            new(rows, l => l.OlderThanHours is null ? null : Format.Count(l.Rows), Right: true), new("of", l => l.OlderThanHours is null ? null : Format.Bytes(l.Bytes), Right: true),
            new("old but needed", l => l.OlderThanHours is null ? null : Format.Count(l.Held), Right: true));
        if (lines.All(l => l.OlderThan is null))
            i.Output.Line("No policy is set, so everything is kept; set for example AiWorkflows:Retention:StageLogs to 30d (docs/retention.md).");
        else if (lines.All(l => l.Rows == 0))
            i.Output.Line(nothing);
        else if (next is not null)
            i.Output.Line(next);
    }
}
