using System.Text.Json;
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
            i.Output.Line($"{group.FeatureGroup} v{group.Version}, commit {latest.CommitId} for {Format.Window(latest.WindowFrom, latest.WindowTo)}, {Format.Count(latest.Rows, "row")}");
            i.Output.Line();
            Write(i.Output, latest.Statistics?.Parse());
        });
    }

    private static void Write(Output output, JsonElement? statistics)
    {
    }
}
