using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>features stats NAME</c>: what the latest commits said about each column when they were written.</summary>
internal static class StatisticsCommand
{
    private const int Commits = 10;

    public static async Task RunAsync(Invocation i, string name)
    {
        var group = (await FeatureCommands.RequireAsync(i.Context, name, i.Ct))[^1];
        var statistics = await i.Context.Query<FeatureQueries>().StatisticsAsync(name, group.Version, Commits, i.Ct);
        i.Output.Object(new { group.FeatureGroup, group.Version, group.Rows, Commits = statistics }, () =>
        {
            if (statistics.Count == 0)
            {
                i.Output.Line($"{name} has no rows yet.");
                return;
            }
            var latest = statistics[0];
            var columns = Features.CommitStatistics.Parse(latest.Statistics?.Text)?.Columns ?? [];
            i.Output.Line($"{group.FeatureGroup} v{group.Version}, all rows computed by commit {latest.CommitId} for {Format.Window(latest.WindowFrom, latest.WindowTo)}; --json has the histograms of the latest {Commits} commits");
            i.Output.Line();
            i.Output.Table(columns,
                new("column", c => c.Name), new("values", c => Format.Count(c.Count), Right: true), new("missing", c => Format.Count(c.Nulls), Right: true),
                new("min", c => c.From ?? Format.Value(c.Min), Right: true), new("mean", c => Format.Value(c.Mean), Right: true), new("max", c => c.To ?? Format.Value(c.Max), Right: true),
                new("deviation", c => Format.Value(c.Deviation), Right: true), new("distinct", c => c.Distinct is { } n ? Format.Count(n) : "", Right: true),
                new("most frequent", c => string.Join(", ", (c.Top ?? []).Take(4).Select(t => $"{t.Value} ({Format.Count(t.Count)})"))));
        });
    }
}
