using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Storage.SqlServer;

namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>Calls of the methods that put statements together from parts: one for each part that may or may not be there.</summary>
internal static class ComposedStatements
{
    public static async Task<IReadOnlyList<(string Where, string Template)>> RecordAsync(IReadOnlyList<GroupSchema> groups)
    {
        var database = new RecordingDatabase();
        var ct = CancellationToken.None;
        var day = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var dashboard = new DashboardQueries(database);
        var models = new ModelQueries(database);
        var collector = new SqlServerRowCollector(database);
        var ledger = new Ledger(database, collector);
        List<Func<Task>> calls =
        [
            () => dashboard.RunsAsync(new(), null, 1, ct),
            () => dashboard.RunsAsync(new("w", "s", "t", day, day), 1, 1, ct),
            () => dashboard.LogTailAsync(1, new(), 1, ct),
            () => dashboard.LogAfterAsync(1, 0, new("step", 1, true), 1, ct),
            () => models.FindAsync("m", 1, ct),
            () => models.OfRunAsync(1, ct),
            () => ledger.ExpireAsync(everything: true, 1, ct),
            () => ledger.ExpireAsync(everything: false, 1, ct),
            () => ledger.ClaimAsync(1, new(Guid.Empty, "h", null, "c", TimeSpan.Zero), ct),
        ];
        foreach (var group in groups)
        {
            calls.Add(() => collector.DeleteRowsAsync(group.Name, group.Version, group.EventTime.Name, 1, new Window(day, day.AddDays(1)), ct));
            calls.Add(() => collector.DeleteSliceAsync(group.Name, group.Version, group.EventTime.Name, 1, day, day, ct));
        }
        foreach (var call in calls)
            await database.RecordAsync(call);
        database.Record(() => new NothingApplied(database).Script());
        return database.Recorded;
    }

    /// <summary>A migrator that finds no database.</summary>
    private sealed class NothingApplied(StoreDatabase database) : Migrator(database)
    {
        protected override bool Exists() => false;

        protected override IReadOnlyList<AppliedScript> Applied() => [];

        protected override Task<IAsyncDisposable> LockAsync(CancellationToken ct) => throw new NotSupportedException();

        protected override void Prepare() => throw new NotSupportedException();

        protected override DbUp.Builder.UpgradeEngineBuilder Deploy() => throw new NotSupportedException();
    }
}
