using System.CommandLine;
using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>features list|show|stats|get|quarantine</c></summary>
internal static class FeatureCommands
{
    public static Command Create(CliContext context)
    {
        var name = Build.Name("NAME", "Name of the feature group.");
        var view = Build.Name("VIEW", "Name of the feature view.");
        var keys = new Argument<string[]>("KEY=VALUE") { Description = "The entity keys of the view's spine.", Arity = ArgumentArity.OneOrMore };
        var at = Build.Text("--at", "Event time that the example is made for; default: that of the entity's latest row.", "TIME");
        var asOf = Build.Text("--as-of", "Publication time: what was published later is not seen; default: now.", "TIME");
        return Build.Group("features", "Feature groups: list, show, statistics, values, quarantine.",
            Build.Reading(context, "list", "Lists the feature groups with rows and freshness.", ListAsync),
            Build.Reading(context, "show", "Shows the columns of a group, its latest commits, and what is made from it.", i => ShowAsync(i, i.Value(name)), name),
            Build.Reading(context, "stats", "Shows the statistics of a group's latest commits, column by column.", i => StatisticsCommand.RunAsync(i, i.Value(name)), name),
            Build.Reading(context, "get", "Shows the features of an entity as a model would see them.", i => GetAsync(i, i.Value(view), i.Parsed.GetRequiredValue(keys), i.Time(at), i.Time(asOf)), view, keys, at, asOf),
            QuarantineCommands.Create(context));
    }

    /// <summary>The versions of a group that the store knows.</summary>
    /// <exception cref="InvalidRequestException">Neither the store nor the program knows the name.</exception>
    public static async Task<IReadOnlyList<GroupRow>> RequireAsync(CliContext context, string name, CancellationToken ct)
    {
        var queries = context.Query<FeatureQueries>();
        var found = await queries.FindAsync(name, ct);
        if (found.Count > 0)
            return found;
        var defined = context.Catalog.Groups.Select(g => g.Schema.Name).ToList();
        if (defined.Contains(name))
            throw new InvalidRequestException($"Feature group {name} holds nothing yet; run a workflow that writes it.");
        throw NearMatches.Unknown("feature group", name, defined.Concat((await queries.ListAsync(ct)).Select(g => g.FeatureGroup)));
    }

    private static async Task ListAsync(Invocation i)
    {
        var groups = await i.Context.Query<FeatureQueries>().ListAsync(i.Ct);
        i.Output.List(groups, "No feature groups yet; they come with the first run.",
            new("feature group", g => g.FeatureGroup), new("version", g => $"{g.Version}", Right: true), new("written by", g => g.WrittenBy),
            new("rows", g => Format.Count(g.Rows), Right: true), new("commits", g => Format.Count(g.Commits), Right: true), new("quarantined", g => Format.Count(g.RowsQuarantined), Right: true),
            new("latest event", g => Format.Time(g.LastEventTime)), new("complete up to", g => Format.Time(g.Watermark)), new("published", g => Format.Moment(g.LastPublishedAt)));
    }

    private static async Task ShowAsync(Invocation i, string name)
    {
        var queries = i.Context.Query<FeatureQueries>();
        var group = (await RequireAsync(i.Context, name, i.Ct))[^1];
        var commits = await queries.CommitsAsync(name, group.Version, 10, i.Ct);
        var usedBy = await queries.UsedByAsync(name, group.Version, i.Ct);
        var reads = commits.Count > 0 ? await queries.InputsAsync(commits[0].CommitId, i.Ct) : [];
        i.Output.Object(new { group.FeatureGroup, group.Version, group.Description, group.WrittenBy, group.Rows, group.Commits, group.RowsQuarantined, group.LastEventTime, group.LastPublishedAt, group.Watermark, group.Columns, LatestCommits = commits, LatestInputs = reads, UsedBy = usedBy }, () =>
        {
            i.Output.Fields(
                ("feature group", $"{group.FeatureGroup} v{group.Version}{(group.Deprecated ? ", deprecated" : "")}"),
                ("description", group.Description),
                ("written by", group.WrittenBy ?? "something outside these workflows"),
                ("reads", reads.Count > 0 ? string.Join(", ", reads.Select(r => $"{r.FeatureGroup} v{r.Version}").Distinct()) : null),
                ("rows", $"{Format.Count(group.Rows)} in {Format.Count(group.Commits, "commit")}"),
                ("quarantined", group.RowsQuarantined > 0 ? $"{Format.Count(group.RowsQuarantined)}; `quarantine list {name}` shows them" : "none"),
                ("latest event", Format.Time(group.LastEventTime)),
                ("complete up to", Format.Time(group.Watermark)),
                ("rows in SQL", $"SELECT * FROM {SuggestedQueries.ViewOf(i.Context.Get<StoreDatabase>(), group.FeatureGroup, group.Version)}"));
            i.Output.Heading("Columns");
            WriteColumns(i.Output, group.Columns.Text);
            if (usedBy.Count > 0)
            {
                i.Output.Heading("Features made from it");
                i.Output.Table(usedBy, new("view", l => $"{l.View} v{l.ViewVersion}"), new("feature", l => l.Feature), new("from", l => $"{l.JoinAlias}: {l.GroupColumn}"));
            }
            if (commits.Count > 0)
            {
                i.Output.Heading("Latest commits");
                RunReport.CommitTable(i.Output, commits);
            }
        });
    }

    private static void WriteColumns(Output output, string json) => output.Table(StoredColumn.Read(json),
        new("column", c => c.Name), new("type", c => c.Type == ColumnType.Decimal ? $"Decimal({c.Precision},{c.Scale})" : c.MaxLength > 0 ? $"{c.Type}({c.MaxLength})" : $"{c.Type}"),
        new("role", c => c.Role switch { ColumnRole.Key => "entity key", ColumnRole.EventTime => "event time", _ => "feature" }), new("missing", c => c.Nullable ? "allowed" : "never"),
        new("description", c => c.Description));

    private static async Task GetAsync(Invocation i, string name, string[] pairs, DateTime? at, DateTime? asOf)
    {
        var view = i.Context.Catalog.View(name);
        var shown = await FeatureLookup.GetAsync(i.Context.Services, view, pairs, at, asOf, i.Ct);
        if (asOf is { } moment && await i.Context.Query<FeatureQueries>().ThinnedOutAsync(view.Reads.Select(g => g.Name), shown.AsOfSeq, i.Ct) is { Count: > 0 } thinned)
            await i.Output.Console.Error.WriteLineAsync(
                $"Retention has removed versions of {string.Join(", ", thinned)} from after {Timestamps.Display(moment)}: unless a dataset or a batch has read as of sequence {shown.AsOfSeq}, values may be missing or older than they were.");
        i.Output.Object(shown, () => shown.Write(i.Output));
    }
}
