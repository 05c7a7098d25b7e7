using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>Calls of the methods that put statements together from parts: one for each part that may or may not be there.</summary>
internal static class ComposedStatements
{
    public static async Task<IReadOnlyList<(string Where, string Template)>> RecordAsync(RecordingDatabase database)
    {
        var ct = CancellationToken.None;
        var day = new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var dashboard = new DashboardQueries(database);
        var models = new ModelQueries(database);
        var ledger = new Ledger(database, new NoRows());
        Func<Task>[] calls =
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
        foreach (var call in calls)
            await database.RecordAsync(call);
        return database.Recorded;
    }

    private sealed class NoRows : IRowCollector
    {
        public Task<long> DeleteRowsAsync(string group, int version, string eventTimeColumn, long commitId, Window window, CancellationToken ct) => Task.FromResult(0L);
    }
}
