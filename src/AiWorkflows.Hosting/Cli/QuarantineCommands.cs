using System.CommandLine;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>quarantine list|replay</c>, also below <c>features</c></summary>
internal static class QuarantineCommands
{
    public static Command Create(CliContext context)
    {
        var group = new Argument<string?>("NAME") { Description = "Only rows of this feature group.", Arity = ArgumentArity.ZeroOrOne };
        var all = Build.Flag("--all", "Also rows that were replayed.");
        var (limit, before) = (Build.Rows(20), Build.Before());
        var name = Build.Name("NAME", "Name of the feature group.");
        var ids = new Option<long[]>("--id") { Description = "Only this row, as `quarantine list` shows it; may be given several times.", HelpName = "ID" };
        var accept = Build.Flag("--accept", "Publish the rows as they are, even if they violate the rules of today.");
        return Build.Group("quarantine", "Rows that an expectation kept out: list, replay.",
            Build.Reading(context, "list", "Lists the rows in quarantine, newest first, with rule and reason.", i => ListAsync(i, i.Parsed.GetValue(group), i.Value(all), i.Value(before), i.Limit(limit)), group, all, limit, before),
            Build.WithResult(context, "replay", "Publishes rows of a feature group that hold the rules of today; they were kept out by those of then.", i => ReplayAsync(i, i.Value(name), i.Parsed.GetValue(ids) ?? [], i.Value(accept)), name, ids, accept));
    }

    private static async Task<int> ReplayAsync(Invocation i, string group, long[] ids, bool accept)
    {
        await FeatureCommands.RequireAsync(i.Context, group, i.Ct);
        var replay = ActivatorUtilities.CreateInstance<QuarantineReplay>(i.Context.Services);
        var outcome = await replay.RunAsync(group, ids.ToHashSet(), accept, CliContext.Who, i.Ct);
        i.Output.Object(new { FeatureGroup = group, outcome.Taken, outcome.Runs, Refused = outcome.Refused.Select(r => new { r.QuarantineId, r.Reason }) }, () =>
        {
            if (outcome.Taken > 0)
                i.Output.Line($"{Format.Count(outcome.Taken, "row")} of {group} {(outcome.Taken == 1 ? "is" : "are")} published now, by run {string.Join(", ", outcome.Runs)}. Running its window again takes them out again, unless the rule has changed.");
            else if (outcome.Refused.Count == 0)
                i.Output.Line(ids.Length == 0 ? $"No rows of {group} are in quarantine." : $"None of these rows is in quarantine of {group}; `quarantine list {group}` shows those that are.");
            if (outcome.Refused.Count == 0)
                return;
            i.Output.Table(outcome.Refused.Take(20).ToList(), new("id", r => $"{r.QuarantineId}", Right: true), new("stays in quarantine because it", r => r.Reason));
            i.Output.Line($"{Format.Count(outcome.Refused.Count, "row")} {(outcome.Refused.Count == 1 ? "stays" : "stay")} in quarantine{(accept ? "." : "; --accept publishes them as they are.")}");
        });
        return outcome.Refused.Count > 0 && outcome.Taken == 0 ? 1 : 0;
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
