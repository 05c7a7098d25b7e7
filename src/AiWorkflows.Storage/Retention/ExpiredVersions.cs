using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Storage.Retention;

/// <summary>
/// Versions of feature rows that were replaced before the limit and that no pin reads. A tombstone goes too once nothing lies below it. The current rows stay, and
/// every read at a pinned sequence gives what it gave.
/// </summary>
/// <remarks>
/// A sequence that is pinned while this runs is at least the current one, and every version that goes was replaced at or before that: nobody who comes
/// later can miss it. Reads at sequences that nobody has pinned see what is left; <c>feature_store.compactions</c> says from where on that is everything.
/// </remarks>
internal sealed class ExpiredVersions(StoreDatabase database, RetentionLimits limits, IReadOnlyList<ViewReads> views)
{
    private const int RowsAtOnce = 500;

    public async Task<Removed> RunAsync(bool apply, CancellationToken ct)
    {
        var total = default(Removed);
        foreach (var group in await database.ReadAsync<Group>("SELECT feature_group, version, columns_json FROM {feature_store.feature_groups} ORDER BY feature_group, version", null, ct))
            // The views of this program read versions of such a group that were replaced long ago, today and tomorrow.
            if (!views.Any(v => v.AsPublished.Contains((group.FeatureGroup, group.Version))))
                total += await CompactAsync(group, apply, ct);
        return total;
    }

    private async Task<Removed> CompactAsync(Group group, bool apply, CancellationToken ct)
    {
        var commits = await CommitsAsync(group, ct);
        var ranges = RewrittenRanges.Of(commits);
        if (ranges.Count == 0)
            return default;
        var pins = new ActivePins(await VersionPins.ReadAsync(database, group.FeatureGroup, group.Version, limits, views, ct));
        var table = new VersionTable(database, group.FeatureGroup, group.Version, StoredColumn.Read(group.ColumnsJson));
        var expired = new ExpiredVersionFinder(commits.ToDictionary(c => c.CommitId), limits[RetentionClass.FeatureVersions], pins);
        var (total, chunk, horizon) = (default(Removed), new List<ExpiredVersion>(), 0L);
        foreach (var range in ranges)
            await foreach (var row in table.RowsAsync(range, ct))
            {
                var before = chunk.Count;
                total += new Removed(0, 0, expired.Find(row, chunk));
                for (var i = before; i < chunk.Count; i++)
                {
                    total += new Removed(1, chunk[i].Bytes);
                    horizon = Math.Max(horizon, chunk[i].ReplacedSeq);
                }
                if (chunk.Count < RowsAtOnce)
                    continue;
                if (apply)
                    await DeleteAsync(group, table, chunk, horizon, ct);
                chunk.Clear();
            }
        if (apply && chunk.Count > 0)
            await DeleteAsync(group, table, chunk, horizon, ct);
        return total;
    }

    private async Task<IReadOnlyList<CommitSpan>> CommitsAsync(Group group, CancellationToken ct) => await database.ReadAsync<CommitSpan>("""
        SELECT commit_id, published_seq, published_at, COALESCE(min_event_time, window_from) AS first_time, COALESCE(max_event_time, window_to) AS last_time, rows + tombstones AS row_versions
        FROM {feature_store.commits} WHERE feature_group = @FeatureGroup AND version = @Version AND state = 'published'
        """, new { group.FeatureGroup, group.Version }, ct);

    /// <summary>What breaks is marked in the transaction that breaks it.</summary>
    private Task DeleteAsync(Group group, VersionTable table, IReadOnlyList<ExpiredVersion> rows, long horizon, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        foreach (var datasetId in rows.SelectMany(r => r.Breaks).Distinct())
        {
            var broken = new { DatasetId = datasetId, Reason = $"Retention has removed versions of {group.FeatureGroup} that the dataset had read." };
            await tx.ExecuteAsync("UPDATE {feature_store.training_datasets} SET reproducible = 0, reason = @Reason WHERE dataset_id = @DatasetId AND reproducible = 1", broken);
            await tx.ExecuteAsync("UPDATE {model_registry.versions} SET reproducible = 0, reason = @Reason WHERE dataset_id = @DatasetId AND reproducible = 1", broken);
        }
        var compaction = new { group.FeatureGroup, group.Version, Horizon = horizon };
        if (await tx.ExecuteAsync("""
            UPDATE {feature_store.compactions} SET horizon_seq = CASE WHEN horizon_seq > @Horizon THEN horizon_seq ELSE @Horizon END, compacted_at = {now} WHERE feature_group = @FeatureGroup AND version = @Version
            """, compaction) == 0)
            await tx.ExecuteAsync("INSERT INTO {feature_store.compactions} (feature_group, version, horizon_seq, compacted_at) VALUES (@FeatureGroup, @Version, @Horizon, {now})", compaction);
        await table.DeleteAsync(tx, rows);
    }, ct, durable: false);

    private sealed class Group
    {
        public string FeatureGroup { get; set; } = "";

        public int Version { get; set; }

        public string ColumnsJson { get; set; } = "";
    }
}

/// <summary>A published commit and the event times of its rows, both ends included.</summary>
internal sealed class CommitSpan
{
    public long CommitId { get; set; }

    public long PublishedSeq { get; set; }

    public Utc PublishedAt { get; set; }

    public Utc FirstTime { get; set; }

    public Utc LastTime { get; set; }

    public long RowVersions { get; set; }
}

/// <summary>Where more than one commit has written: only there can a version have been replaced.</summary>
internal static class RewrittenRanges
{
    public static IReadOnlyList<Window> Of(IReadOnlyList<CommitSpan> commits)
    {
        var edges = commits.Where(c => c.RowVersions > 0)
            .SelectMany(c => new[] { (Time: c.FirstTime.Value, Step: 1), (Time: c.LastTime.Value.AddMicroseconds(1), Step: -1) })
            .OrderBy(e => e.Time).ThenBy(e => e.Step);
        var (ranges, depth, start) = (new List<Window>(), 0, default(DateTime));
        foreach (var (time, step) in edges)
        {
            if (depth == 1 && step == 1)
                start = time;
            if (depth == 2 && step == -1)
            {
                if (ranges.Count > 0 && ranges[^1].To == start)
                    ranges[^1] = new(ranges[^1].From, time);
                else if (time > start)
                    ranges.Add(new(start, time));
            }
            depth += step;
        }
        return ranges;
    }
}
