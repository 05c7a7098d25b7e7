using AiWorkflows.Workflows;

namespace AiWorkflows.Storage.Retention;

/// <summary>
/// Removes what is older than its policy allows, class by class, in short transactions. A plan goes the same way and deletes nothing. Killed at any point it has
/// removed a part, and the next one goes on; running work is safe beside it, because nothing goes that somebody may still read.
/// </summary>
internal sealed class RetentionJob(StoreDatabase database, ILedger ledger)
{
    /// <summary>What lets go of something else comes before it.</summary>
    private static readonly RetentionClass[] Order =
    [
        RetentionClass.Predictions, RetentionClass.ModelArtifacts, RetentionClass.FeatureVersions, RetentionClass.Quarantine, RetentionClass.DiscardedCommits, RetentionClass.StageLogs, RetentionClass.Runs,
    ];

    /// <summary>What would go by now, for every class; those without a policy are in it too.</summary>
    public Task<IReadOnlyList<RetentionLine>> PlanAsync(RetentionPolicy policy, IReadOnlyList<ViewReads> views, CancellationToken ct) =>
        RunAsync(policy, views, apply: false, null, ct);

    /// <summary>Removes it, and records it in the audit.</summary>
    /// <param name="done">Told of each class when it is done.</param>
    public async Task<IReadOnlyList<RetentionLine>> ApplyAsync(RetentionPolicy policy, IReadOnlyList<ViewReads> views, string by, Action<RetentionLine>? done, CancellationToken ct) =>
        await RunAsync(policy, views, apply: true, async line =>
        {
            if (line.Rows > 0)
                await ledger.AuditAsync(by, "retention", line.Class.ToString(), FormattableString.Invariant($"{line.Rows} rows, {line.Bytes} bytes, older than {line.OlderThan}"), ct);
            done?.Invoke(line);
        }, ct);

    private async Task<IReadOnlyList<RetentionLine>> RunAsync(
        RetentionPolicy policy, IReadOnlyList<ViewReads> views, bool apply, Func<RetentionLine, Task>? done, CancellationToken ct)
    {
        var limits = new RetentionLimits(policy, await database.NowAsync(ct));
        var lines = new List<RetentionLine>();
        foreach (var kind in Order)
        {
            var removed = policy.Ages.ContainsKey(kind) ? await RemoveAsync(kind, limits, views, apply, ct) : default;
            lines.Add(new(kind, policy.Ages.TryGetValue(kind, out var age) ? age : null, removed.Rows, removed.Bytes, removed.Held));
            if (done is not null)
                await done(lines[^1]);
        }
        return [.. lines.OrderBy(l => l.Class)];
    }

    private Task<Removed> RemoveAsync(RetentionClass kind, RetentionLimits limits, IReadOnlyList<ViewReads> views, bool apply, CancellationToken ct) => kind switch
    {
        RetentionClass.StageLogs => new ExpiredLogs(database).RunAsync(limits[kind], apply, ct),
        RetentionClass.Runs => new ExpiredRuns(database, limits).RunAsync(apply, ct),
        RetentionClass.Quarantine => new ExpiredQuarantine(database).RunAsync(limits[kind], apply, ct),
        RetentionClass.FeatureVersions => new ExpiredVersions(database, limits, views).RunAsync(apply, ct),
        RetentionClass.DiscardedCommits => new ExpiredCommits(database).RunAsync(limits[kind], apply, ct),
        RetentionClass.Predictions => new ExpiredPredictions(database).RunAsync(limits[kind], apply, ct),
        _ => new ExpiredArtifacts(database).RunAsync(limits[kind], apply, ct),
    };
}

/// <summary>The moments before which things go; those of classes that are kept for ever lie before everything.</summary>
internal sealed class RetentionLimits(RetentionPolicy policy, DateTime now)
{
    public Utc this[RetentionClass kind] => policy.Ages.TryGetValue(kind, out var age) ? Before(age) : Never;

    /// <summary>Models from before this moment that no alias points at hold nothing any more.</summary>
    public Utc ReproducibleSince => policy.ReproducibleFor is { } age ? Before(age) : Never;

    private static Utc Never => DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    private Utc Before(TimeSpan age) => age < now - Never.Value ? now - age : Never;
}

/// <summary>What was removed, or would be.</summary>
internal readonly record struct Removed(long Rows, long Bytes, long Held = 0)
{
    public static Removed operator +(Removed a, Removed b) => new(a.Rows + b.Rows, a.Bytes + b.Bytes, a.Held + b.Held);
}

/// <summary>Rows and bytes as a statement gives them.</summary>
internal sealed class RemovedRow
{
    public long Rows { get; set; }

    public long? Bytes { get; set; }

    public Removed ToRemoved() => new(Rows, Bytes ?? 0);
}

/// <summary>Walks along a key of numbers in short transactions: each deletes a stretch of it that holds few rows.</summary>
internal static class KeyWalk
{
    /// <summary>Below the 5,000 from which on a server would think of locking the whole table, and a few milliseconds of work.</summary>
    public const int RowsAtOnce = 1000;

    /// <param name="last">Gives the last key of the next stretch, after <c>@After</c> and of at most <c>@Count</c> rows; null where there are no more.</param>
    /// <param name="measure">Gives rows and bytes of the stretch <c>(@After, @Last]</c>.</param>
    /// <param name="deletes">Delete the stretch; what refers to the rows comes first.</param>
    public static async Task<Removed> DeleteAsync(StoreDatabase database, Utc before, string last, string measure, string[] deletes, CancellationToken ct)
    {
        var (total, after) = (default(Removed), 0L);
        while (await database.ReadFirstAsync<long?>(last, new { Before = before, After = after, Count = RowsAtOnce }, ct) is { } end)
        {
            ct.ThrowIfCancellationRequested();
            var stretch = new { Before = before, After = after, Last = end };
            total += await database.WriteAsync(async tx =>
            {
                var removed = (await tx.FirstAsync<RemovedRow>(measure, stretch))!.ToRemoved();
                foreach (var delete in deletes)
                    await tx.ExecuteAsync(delete, stretch);
                return removed;
            }, ct, durable: false);
            after = end;
        }
        return total;
    }

    public static async Task<Removed> MeasureAsync(StoreDatabase database, Utc before, string measure, CancellationToken ct) =>
        (await database.ReadFirstAsync<RemovedRow>(measure, new { Before = before, After = 0L, Last = long.MaxValue }, ct))!.ToRemoved();
}
