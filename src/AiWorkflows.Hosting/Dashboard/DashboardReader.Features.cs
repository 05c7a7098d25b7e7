using AiWorkflows.Hosting.Dashboard.Features;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard;

internal sealed partial class DashboardReader
{
    private const int CommitsPerChart = 60;

    /// <summary>Columns times commits whose statistics a page takes apart.</summary>
    private const int MostStatistics = 800;

    public Task<FeatureGroupsModel> FeatureGroupsAsync() => cache.GetAsync("features", async () => new FeatureGroupsModel(await queries.GroupsAsync(CancellationToken.None).ConfigureAwait(false), EventTime));

    /// <param name="seq">The sequence as of which the group is looked at; null for now.</param>
    /// <returns>The newest version of the group; null where the store has none.</returns>
    public Task<FeatureGroupModel?> FeatureGroupAsync(string name, long? seq) => cache.GetAsync<FeatureGroupModel?>($"feature {name} {seq}", async () =>
    {
        var ct = CancellationToken.None;
        if ((await features.FindAsync(name, ct).ConfigureAwait(false)).MaxBy(row => row.Version) is not { } group)
            return null;
        var columns = StoredColumn.Read(group.Columns.Text);
        var until = seq ?? long.MaxValue;
        var panels = Panels();
        var commits = await panels.ReadAsync([], limited => queries.CommitsAsync(name, group.Version, until, withStatistics: false, CommitsPerChart, limited), "commits-chart", "commits").ConfigureAwait(false);
        var usedBy = await panels.ReadAsync([], limited => features.UsedByAsync(name, group.Version, limited), "lineage").ConfigureAwait(false);
        var statistics = await panels.ReadAsync([], limited => queries.CommitsAsync(name, group.Version, until, withStatistics: true, Math.Clamp(MostStatistics / columns.Count, 2, 20), limited), "columns", "expectations").ConfigureAwait(false);
        string[] views = [.. usedBy.Select(edge => edge.View).Distinct()];
        // No feature comes from a label, so the lineage of features does not have it.
        string[] labelOf = [.. catalog.Views.Where(view => view.Reads.Any(read => read.Name == name && read.Version == group.Version)).Select(view => view.Name).Except(views).Order(StringComparer.Ordinal)];
        return new FeatureGroupModel
        {
            Group = group,
            Columns = columns,
            Seq = seq,
            EventTime = EventTime,
            Commits = commits,
            Statistics = [.. statistics.Select(GroupStatistics.Of)],
            QuarantineCounts = group.RowsQuarantined == 0 ? [] : await panels.ReadAsync([], limited => queries.QuarantineCountsAsync(name, group.Version, FeatureGroupModel.MostQuarantineCounted, limited), "quarantine").ConfigureAwait(false),
            Quarantine = group.RowsQuarantined == 0 ? [] : await panels.ReadAsync([], limited => queries.QuarantineAsync(name, group.Version, CommitsPerChart, QuarantinedRows, limited), "quarantine").ConfigureAwait(false),
            UsedBy = usedBy,
            LabelOf = labelOf,
            ReadBy = [.. catalog.FeaturePipelines.Where(pipeline => pipeline.Reads.Any(read => read.Name == name)).Select(pipeline => pipeline.Writes.Name).Distinct().Where(writes => writes != name)],
            Reads = commits.Count == 0 ? [] : await panels.ReadAsync([], limited => features.InputsAsync(commits[0].CommitId, limited), "lineage").ConfigureAwait(false),
            Champions = await panels.ReadAsync([], limited => queries.ChampionsOnAsync([.. views, .. labelOf], limited), "lineage").ConfigureAwait(false),
            Errors = panels.Errors,
        };
    });

    private const int QuarantinedRows = 10;

    /// <summary>Null where the store has no such group.</summary>
    /// <exception cref="InvalidRequestException">The key fits no key of the group.</exception>
    public Task<GroupRowsModel?> GroupRowsAsync(string name, string? key, DateTime? at, long? seq) => cache.GetAsync<GroupRowsModel?>($"rows {name} {seq} {at:O} {key}", async () =>
    {
        var ct = CancellationToken.None;
        if ((await queries.GroupAsync(name, ct).ConfigureAwait(false)) is not { } group)
            return null;
        var rows = await groupRows.NewestAsync(name, group.Version, StoredColumn.Read(group.ColumnsJson.Text), group.Online, key, at, seq ?? long.MaxValue, RowsPerPanel, ct).ConfigureAwait(false);
        return new GroupRowsModel(name, group.Version, key, at, seq, rows);
    });
}
