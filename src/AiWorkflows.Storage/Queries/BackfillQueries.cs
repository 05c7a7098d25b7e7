namespace AiWorkflows.Storage.Queries;

/// <summary>What people ask about backfills.</summary>
internal sealed class BackfillQueries
{
    private readonly StoreDatabase _database;

    public BackfillQueries(StoreDatabase database)
    {
        QueryMapping.Ensure();
        _database = database;
    }

    /// <summary>Newest first; the next page starts below the last id of this one.</summary>
    public async Task<IReadOnlyList<BackfillRow>> ListAsync(string? workflow, long? before, int limit, CancellationToken ct) => await WithCountsAsync(await _database.ReadAsync<BackfillRow>("""
        SELECT backfill_id, workflow, window_from, window_to, every, parallel, train, backtest, models, pin_seq, requested_by, requested_at FROM {workflows.backfills}
        WHERE backfill_id < @Before AND (@Workflow IS NULL OR workflow = @Workflow) ORDER BY backfill_id DESC {limit:@Limit}
        """, new { Before = before ?? long.MaxValue, Workflow = workflow, Limit = limit }, ct), ct);

    public async Task<BackfillRow?> FindAsync(long backfillId, CancellationToken ct) => (await WithCountsAsync(await _database.ReadAsync<BackfillRow>("""
        SELECT backfill_id, workflow, window_from, window_to, every, parallel, train, backtest, models, pin_seq, requested_by, requested_at FROM {workflows.backfills} WHERE backfill_id = @BackfillId
        """, new { BackfillId = backfillId }, ct), ct)).SingleOrDefault();

    /// <summary>The windows in order of time.</summary>
    /// <param name="fromRun">The first run that is of interest; 0 for all.</param>
    public Task<IReadOnlyList<BackfillWindowRow>> WindowsAsync(long backfillId, long fromRun, CancellationToken ct) => _database.ReadAsync<BackfillWindowRow>("""
        SELECT run_id, window_from, window_to, state, started_at, finished_at, error, reason FROM {workflows.runs} WHERE backfill_id = @BackfillId AND run_id >= @FromRun ORDER BY run_id
        """, new { BackfillId = backfillId, FromRun = fromRun }, ct);

    private async Task<IReadOnlyList<BackfillRow>> WithCountsAsync(IReadOnlyList<BackfillRow> backfills, CancellationToken ct)
    {
        if (backfills.Count == 0)
            return [];
        var counts = (await _database.ReadAsync<CountRow>("""
            SELECT backfill_id, state, COUNT(*) AS windows, MIN(started_at) AS started_at, MAX(finished_at) AS finished_at FROM {workflows.runs}
            WHERE backfill_id IN @Ids GROUP BY backfill_id, state
            """, new { Ids = backfills.Select(b => b.BackfillId) }, ct)).ToLookup(c => c.BackfillId);
        return [.. backfills.Select(b =>
        {
            int Of(string state) => counts[b.BackfillId].FirstOrDefault(c => c.State == state)?.Windows ?? 0;
            var row = b with { Requested = Of("requested"), Running = Of("running"), Succeeded = Of("succeeded"), Failed = Of("failed"), Cancelled = Of("cancelled") };
            Utc[] started = [.. counts[b.BackfillId].Where(c => c.StartedAt is not null).Select(c => c.StartedAt!.Value)];
            Utc[] finished = [.. counts[b.BackfillId].Where(c => c.FinishedAt is not null).Select(c => c.FinishedAt!.Value)];
            return row with
            {
                StartedAt = started.Length > 0 ? started.MinBy(t => t.Value) : null,
                FinishedAt = row.Requested + row.Running == 0 && finished.Length > 0 ? finished.MaxBy(t => t.Value) : null,
            };
        })];
    }

    private sealed class CountRow
    {
        public long BackfillId { get; set; }

        public string State { get; set; } = "";

        public int Windows { get; set; }

        public Utc? StartedAt { get; set; }

        public Utc? FinishedAt { get; set; }
    }
}
