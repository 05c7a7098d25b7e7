using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Storage.Retention;

/// <summary>
/// Merges the many small commits of streams: of consecutive ones that no pin separates, one gets all rows as they stand after the last, and the others go. A read as
/// of any sequence that somebody has pinned gives what it gave. Others' commits between them, and groups of which a view reads every version, are left as they are.
/// </summary>
internal sealed class StreamCompaction(StoreDatabase database)
{
    /// <summary>Rows of a merged commit, about: few enough that nobody waits long behind the transaction that moves them.</summary>
    private const long MostRows = 10_000;

    private const int MostCommits = 200;

    /// <summary>Deletes the versions that another commit of the run has replaced.</summary>
    internal static Task<int> DeleteReplacedAsync(WriteTransaction tx, string group, int version, IReadOnlyList<string> clustered, object parameters)
    {
        var table = Table(group, version);
        var same = string.Concat(clustered.Select(c => $" AND n.{Quote(c)} = {table}.{Quote(c)}"));
        return tx.ExecuteAsync($$"""
            DELETE FROM {{table}} WHERE {{Quote(clustered[0])}} >= @First AND {{Quote(clustered[0])}} <= @Last AND commit_id IN @Ids AND EXISTS (
                SELECT 1 FROM {{table}} n JOIN {feature_store.commits} nc ON nc.commit_id = n.commit_id JOIN {feature_store.commits} oc ON oc.commit_id = {{table}}.commit_id
                WHERE n.commit_id IN @Ids AND nc.published_seq > oc.published_seq{{same}})
            """, parameters);
    }

    /// <summary>Gives what is left to the last commit.</summary>
    internal static Task<int> MoveAsync(WriteTransaction tx, string group, int version, IReadOnlyList<string> clustered, object parameters) => tx.ExecuteAsync(
        $"UPDATE {Table(group, version)} SET commit_id = @Into WHERE {Quote(clustered[0])} >= @First AND {Quote(clustered[0])} <= @Last AND commit_id IN @Older", parameters);

    /// <summary>Merges what was published longer ago than <paramref name="age"/>; returns how many commits have gone.</summary>
    public async Task<long> RunAsync(IReadOnlyList<ViewReads> views, TimeSpan age, CancellationToken ct)
    {
        var gone = 0L;
        var groups = await database.ReadAsync<Group>("""
            SELECT g.feature_group, g.version, g.columns_json FROM {feature_store.feature_groups} g
            WHERE 1 < (SELECT COUNT(*) FROM {feature_store.commits} c WHERE c.feature_group = g.feature_group AND c.version = g.version AND c.state = 'published' AND c.kind = 'patch' AND c.run_id IS NULL AND c.published_at <= {ago:@Age})
            """, new { Age = Timestamps.ToMicros(age) }, ct);
        foreach (var group in groups.Where(g => !views.Any(v => v.AsPublished.Contains((g.FeatureGroup, g.Version)))))
        {
            // Nothing is released here: what retention would let go is its own affair.
            var limits = new RetentionLimits(new RetentionPolicy(new Dictionary<RetentionClass, TimeSpan>(), null), await database.NowAsync(ct));
            var pins = await VersionPins.ReadAsync(database, group.FeatureGroup, group.Version, limits, views, ct);
            var commits = await database.ReadAsync<Commit>("""
                SELECT commit_id, published_seq, published_at, kind, run_id, rows + tombstones AS row_versions, min_event_time, max_event_time, window_from, window_to
                FROM {feature_store.commits} WHERE feature_group = @FeatureGroup AND version = @Version AND state = 'published' AND published_at <= {ago:@Age} ORDER BY published_seq, commit_id
                """, new { group.FeatureGroup, group.Version, Age = Timestamps.ToMicros(age) }, ct);
            foreach (var run in Runs(commits, pins))
                gone += await MergeAsync(group, run, ct) ? run.Count - 1 : 0;
        }
        return gone;
    }

    /// <summary>Runs of consecutive commits that may become one.</summary>
    private static IEnumerable<IReadOnlyList<Commit>> Runs(IReadOnlyList<Commit> commits, IReadOnlyList<VersionPin> pins)
    {
        long[] cuts = [.. pins.Select(p => p.Seq).Distinct().Order()];
        var allVersionsUntil = pins.Where(p => p.ReadsAll).Select(p => p.Seq).DefaultIfEmpty().Max();
        var (run, rows) = (new List<Commit>(), 0L);
        foreach (var commit in commits)
        {
            var isStreams = commit.Kind == "patch" && commit.RunId is null && commit.PublishedSeq > allVersionsUntil;
            // A pin at the last one's sequence sees all of them; a pin between two sees the first only.
            var isCut = run.Count > 0 && Array.Exists(cuts, cut => cut >= run[^1].PublishedSeq && cut < commit.PublishedSeq);
            if (run.Count > 0 && (!isStreams || isCut || run.Count == MostCommits || rows + commit.RowVersions > MostRows))
            {
                if (run.Count > 1)
                    yield return run;
                (run, rows) = ([], 0);
            }
            if (!isStreams)
                continue;
            run.Add(commit);
            rows += commit.RowVersions;
        }
        if (run.Count > 1)
            yield return run;
    }

    private Task<bool> MergeAsync(Group group, IReadOnlyList<Commit> run, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        await database.LockAsync(tx, "stream-compaction");
        string[] clustered = [.. StoredColumn.Read(group.ColumnsJson).Where(c => c.Role != ColumnRole.Feature).OrderBy(c => c.Role == ColumnRole.EventTime ? 0 : 1).Select(c => c.Name)];
        long[] ids = [.. run.Select(c => c.CommitId)];
        // Ids are not in the order of publication. Into the greatest one rows move forward in the order in which they are scanned: a scan that sees no snapshot may meet a row
        // again, but never misses one.
        var into = ids.Max();
        long[] older = [.. ids.Where(id => id != into)];
        // Another host may have been here.
        if (await tx.ScalarAsync<long>("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'published' AND commit_id IN @Ids", new { Ids = ids }) != ids.Length)
            return false;
        if (run.Where(c => c.MinEventTime is not null).ToArray() is { Length: > 0 } withRows)
        {
            var range = new { First = withRows.Min(c => c.MinEventTime!.Value.Value), Last = withRows.Max(c => c.MaxEventTime!.Value.Value) };
            await DeleteReplacedAsync(tx, group.FeatureGroup, group.Version, clustered, new { First = (Utc)range.First, Last = (Utc)range.Last, Ids = ids });
            await MoveAsync(tx, group.FeatureGroup, group.Version, clustered, new { First = (Utc)range.First, Last = (Utc)range.Last, Into = into, Older = older });
        }
        var merged = new { Into = into, Ids = ids, Older = older };
        await tx.ExecuteAsync("UPDATE {feature_store.quarantine} SET commit_id = @Into WHERE commit_id IN @Older", merged);
        await tx.ExecuteAsync("""
            INSERT INTO {feature_store.commit_buckets} (commit_id, bucket)
            SELECT DISTINCT @Into, b.bucket FROM {feature_store.commit_buckets} b WHERE b.commit_id IN @Older AND b.bucket NOT IN (SELECT k.bucket FROM {feature_store.commit_buckets} k WHERE k.commit_id = @Into)
            """, merged);
        await tx.ExecuteAsync("DELETE FROM {feature_store.commit_buckets} WHERE commit_id IN @Older", merged);
        await tx.ExecuteAsync("""
            INSERT INTO {feature_store.dataset_commits} (dataset_id, commit_id)
            SELECT DISTINCT d.dataset_id, @Into FROM {feature_store.dataset_commits} d WHERE d.commit_id IN @Older AND d.dataset_id NOT IN (SELECT k.dataset_id FROM {feature_store.dataset_commits} k WHERE k.commit_id = @Into)
            """, merged);
        await tx.ExecuteAsync("DELETE FROM {feature_store.dataset_commits} WHERE commit_id IN @Older", merged);
        await tx.ExecuteAsync("""
            INSERT INTO {prediction_log.batch_commits} (batch_id, commit_id)
            SELECT DISTINCT b.batch_id, @Into FROM {prediction_log.batch_commits} b WHERE b.commit_id IN @Older AND b.batch_id NOT IN (SELECT k.batch_id FROM {prediction_log.batch_commits} k WHERE k.commit_id = @Into)
            """, merged);
        await tx.ExecuteAsync("DELETE FROM {prediction_log.batch_commits} WHERE commit_id IN @Older", merged);
        var sums = await tx.FirstAsync<Sums>("""
            SELECT SUM(rows) AS rows, SUM(tombstones) AS tombstones, SUM(new_rows) AS new_rows, SUM(rows_computed) AS rows_computed, SUM(rows_quarantined) AS rows_quarantined,
                MIN(min_event_time) AS min_event_time, MAX(max_event_time) AS max_event_time, MIN(window_from) AS window_from, MAX(window_to) AS window_to, MIN(base_seq) AS base_seq
            FROM {feature_store.commits} WHERE commit_id IN @Ids
            """, merged);
        await tx.ExecuteAsync("DELETE FROM {feature_store.commits} WHERE commit_id IN @Older", merged);
        await tx.ExecuteAsync("""
            UPDATE {feature_store.commits} SET published_seq = @PublishedSeq, published_at = @PublishedAt, rows = @Rows, tombstones = @Tombstones, new_rows = @NewRows, rows_computed = @RowsComputed, rows_quarantined = @RowsQuarantined,
                min_event_time = @MinEventTime, max_event_time = @MaxEventTime, window_from = @WindowFrom, window_to = @WindowTo, base_seq = @BaseSeq
            WHERE commit_id = @Into
            """, new { Into = into, run[^1].PublishedSeq, run[^1].PublishedAt, sums!.Rows, sums.Tombstones, sums.NewRows, sums.RowsComputed, sums.RowsQuarantined, sums.MinEventTime, sums.MaxEventTime, sums.WindowFrom, sums.WindowTo, sums.BaseSeq });
        var compaction = new { group.FeatureGroup, group.Version, Horizon = run[^1].PublishedSeq };
        if (await tx.ExecuteAsync("""
            UPDATE {feature_store.compactions} SET horizon_seq = CASE WHEN horizon_seq > @Horizon THEN horizon_seq ELSE @Horizon END, compacted_at = {now} WHERE feature_group = @FeatureGroup AND version = @Version
            """, compaction) == 0)
            await tx.ExecuteAsync("INSERT INTO {feature_store.compactions} (feature_group, version, horizon_seq, compacted_at) VALUES (@FeatureGroup, @Version, @Horizon, {now})", compaction);
        return true;
    }, ct, durable: false);

    private static string Table(string group, int version) => GroupSchema.IsIdentifier(group) ? $"{{feature_store.{group}_v{version}_rows}}" : throw new InvalidRequestException($"'{group}' is no name of a feature group.");

    private static string Quote(string column) => GroupSchema.IsIdentifier(column) ? $"\"{column}\"" : throw new InvalidRequestException($"'{column}' is no name of a column.");

    private sealed class Group
    {
        public string FeatureGroup { get; set; } = "";

        public int Version { get; set; }

        public string ColumnsJson { get; set; } = "";
    }

    private sealed class Commit
    {
        public long CommitId { get; set; }

        public long PublishedSeq { get; set; }

        public Utc PublishedAt { get; set; }

        public string Kind { get; set; } = "";

        public long? RunId { get; set; }

        public long RowVersions { get; set; }

        public Utc? MinEventTime { get; set; }

        public Utc? MaxEventTime { get; set; }

        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }
    }

    private sealed class Sums
    {
        public long Rows { get; set; }

        public long Tombstones { get; set; }

        public long NewRows { get; set; }

        public long RowsComputed { get; set; }

        public long RowsQuarantined { get; set; }

        public Utc? MinEventTime { get; set; }

        public Utc? MaxEventTime { get; set; }

        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }

        public long BaseSeq { get; set; }
    }
}
