using System.CommandLine;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>quarantine list|replay</c>, also below <c>features</c></summary>
internal static class QuarantineCommands
{
    public static Command Create(CliContext context)
    {
        var group = new Argument<string?>("NAME") { Description = "Only rows of this feature group.", Arity = ArgumentArity.ZeroOrOne };
        var all = Build.Flag("--all", "Also rows that were replayed.");
        var (limit, before) = (Build.Rows(20), Build.Before());
        return Build.Group("quarantine", "Rows that an expectation kept out: list, replay.",
            Build.Reading(context, "list", "Lists the rows in quarantine, newest first, with rule and reason.", i => ListAsync(i, i.Parsed.GetValue(group), i.Value(all), i.Value(before), i.Limit(limit)), group, all, limit, before));
    }

    private static async Task ListAsync(Invocation i, string? group, bool all, long? before, int limit)
    {
        if (group is not null)
            await FeatureCommands.RequireAsync(i.Context, group, i.Ct);
        var queries = i.Context.Query<FeatureQueries>();
        var rows = await queries.QuarantineAsync(group, all, before, limit, i.Ct);
        i.Output.List(rows, "No rows in quarantine.",
            new("id", r => $"{r.QuarantineId}", Right: true), new("feature group", r => $"{r.FeatureGroup} v{r.Version}"), new("rule", r => r.Rule), new("reason", r => Format.OneLine(r.Reason, 80)),
            new("row", r => Format.OneLine(r.Row.Text, 120)), new("run", r => $"{r.RunId}", Right: true), new("replayed by", r => r.ReplayedBy is { } c ? $"commit {c}" : "", Right: true));
        if (i.Output.IsJson || rows.Count == 0)
            return;
        i.Output.Line();
        i.Output.Table(await queries.QuarantineCountsAsync(group, i.Ct),
            new("feature group", q => q.FeatureGroup), new("rule", q => q.Rule), new("rows in all", q => Format.Count(q.Rows), Right: true), new("replayed", q => Format.Count(q.Replayed), Right: true));
        if (rows.Count == limit)
            i.Output.Line($"More with --before {rows[^1].QuarantineId}.");
    }
}
