using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    public async Task<RunRecord?> FindRunAsync(long runId, CancellationToken ct) =>
        (await database.ReadFirstAsync<RunRow>($$"""SELECT {{RunRow.Columns}} FROM {workflows.runs} WHERE run_id = @RunId""", new { RunId = runId }, ct))?.ToRecord();

    public async Task<IReadOnlyList<RunRecord>> OpenRunsAsync(CancellationToken ct) =>
        [.. (await database.ReadAsync<RunRow>($$"""
            SELECT {{RunRow.Columns}} FROM {workflows.runs} WHERE state IN ('requested', 'running')
              AND (state = 'running' OR backfill_id IS NULL OR run_id IN (SELECT MIN(run_id) FROM {workflows.runs} WHERE state IN ('requested', 'running') AND state = 'requested' AND backfill_id IS NOT NULL GROUP BY backfill_id))
            ORDER BY run_id
            """, null, ct)).Select(r => r.ToRecord())];

    public async Task<IReadOnlyList<RunRecord>> UnfinishedRunsAsync(string workflow, CancellationToken ct) =>
        [.. (await database.ReadAsync<RunRow>($$"""
            SELECT {{RunRow.Columns}} FROM {workflows.runs} WHERE workflow = @Workflow AND backfill_id IS NULL AND state IN ('requested', 'running', 'failed') ORDER BY run_id
            """, new { Workflow = workflow }, ct)).Select(r => r.ToRecord())];

    public async Task<long> LatestRunIdAsync(string workflow, CancellationToken ct) =>
        await database.ReadFirstAsync<long?>("SELECT MAX(run_id) FROM {workflows.runs} WHERE workflow = @Workflow AND backfill_id IS NULL", new { Workflow = workflow }, ct) ?? 0;

    public async Task<IReadOnlyList<StageRunRecord>> StageRunsAsync(long runId, CancellationToken ct) =>
        [.. (await database.ReadAsync<StageRunRow>($$"""
            SELECT {{StageRunRow.Columns}} FROM {workflows.stage_runs} WHERE run_id = @RunId ORDER BY ordinal, partition, stage_run_id
            """, new { RunId = runId }, ct)).Select(r => r.ToRecord())];

    public async Task<StageRunRecord?> FindStageRunAsync(long stageRunId, CancellationToken ct) =>
        (await database.ReadFirstAsync<StageRunRow>($$"""SELECT {{StageRunRow.Columns}} FROM {workflows.stage_runs} WHERE stage_run_id = @StageRunId""", new { StageRunId = stageRunId }, ct))?.ToRecord();

    public async Task<IReadOnlyList<CoverageInterval>> CoverageAsync(IReadOnlyList<string> pipelines, CancellationToken ct)
    {
        var rows = await database.ReadAsync<CoverageRow>("""
            SELECT pipeline, window_from, window_to FROM {workflows.coverage} WHERE pipeline IN @Pipelines ORDER BY pipeline, window_from, window_to
            """, new { Pipelines = pipelines }, ct);
        var reopened = await database.ReadAsync<CoverageRow>("""
            SELECT pipeline, window_from, window_to FROM {workflows.reopened} WHERE pipeline IN @Pipelines ORDER BY pipeline, window_from
            """, new { Pipelines = pipelines }, ct);
        return [.. Merge(rows).Select(r => new CoverageInterval(r.Pipeline, new(r.WindowFrom, r.WindowTo))),
            .. Merge(reopened).Select(r => new CoverageInterval(r.Pipeline, new(r.WindowFrom, r.WindowTo), Reopened: true))];
    }

    private static List<CoverageRow> Merge(IReadOnlyList<CoverageRow> rows)
    {
        var merged = new List<CoverageRow>();
        foreach (var row in rows)
            if (merged.Count > 0 && merged[^1] is var last && last.Pipeline == row.Pipeline && row.WindowFrom <= last.WindowTo)
                last.WindowTo = Utc.Later(last.WindowTo, row.WindowTo);
            else
                merged.Add(row);
        return merged;
    }

    private const string InsertLog = """
        INSERT INTO {workflows.stage_logs} (run_id, stage_run_id, attempt, logged_at, level, message) VALUES (@RunId, @StageRunId, @Attempt, COALESCE(@LoggedAt, {now}), @Level, @Message)
        """;

    public Task LogAsync(IReadOnlyList<StageLogLine> lines, CancellationToken ct) =>
        lines.Count == 0 ? Task.CompletedTask : database.WriteAsync(tx => tx.ExecuteAsync(InsertLog, Lines(lines)), ct, durable: false);

    private static object[] Lines(IReadOnlyList<StageLogLine> lines) => [.. lines.Select(l => new
    {
        l.RunId,
        l.StageRunId,
        l.Attempt,
        LoggedAt = l.LoggedAt == default ? (Utc?)null : l.LoggedAt,
        l.Level,
        l.Message,
    })];

    public async Task<IReadOnlyList<StageLogLine>> LogsAsync(long runId, long after, int limit, CancellationToken ct) =>
        [.. (await database.ReadAsync<LogRow>("""
            SELECT log_id, run_id, stage_run_id, attempt, logged_at, level, message FROM {workflows.stage_logs} WHERE run_id = @RunId AND log_id > @After ORDER BY log_id {limit:@Limit}
            """, new { RunId = runId, After = after, Limit = limit }, ct))
            .Select(l => new StageLogLine(l.LogId, l.RunId, l.StageRunId, l.Attempt, l.LoggedAt, l.Level, l.Message))];

    public Task HostSeenAsync(HostRecord host, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var row = new { host.Host, host.Engine, host.ProcessId, host.Kind, host.Url, Queues = host.QueuesJson, host.CodeVersion, Stages = host.StagesJson };
        if (await tx.ExecuteAsync("""
            UPDATE {workflows.hosts} SET engine = @Engine, process_id = @ProcessId, kind = @Kind, url = @Url, queues = @Queues, code_version = @CodeVersion, stages = @Stages, last_seen = {now} WHERE host = @Host
            """, row) == 0)
            await tx.ExecuteAsync("""
                INSERT INTO {workflows.hosts} (host, engine, process_id, kind, url, queues, code_version, stages, started_at, last_seen)
                VALUES (@Host, @Engine, @ProcessId, @Kind, @Url, @Queues, @CodeVersion, @Stages, {now}, {now})
                """, row);
    }, ct, durable: false);

    public Task HostGoneAsync(string host, CancellationToken ct) =>
        database.WriteAsync(tx => tx.ExecuteAsync("DELETE FROM {workflows.hosts} WHERE host = @Host", new { Host = host }), ct, durable: false);

    public async Task<IReadOnlyList<HostRecord>> HostsAsync(CancellationToken ct) =>
        [.. (await database.ReadAsync<HostRow>("SELECT host, engine, process_id, kind, url, queues, code_version, stages, started_at, last_seen FROM {workflows.hosts} ORDER BY host", null, ct))
            .Select(h => new HostRecord(h.Host, h.Engine, h.ProcessId, h.Kind, h.Url, h.Queues, h.CodeVersion, h.StartedAt, h.LastSeen, h.Stages))];

    public async Task<int?> PinModelAsync(long runId, string model, string alias, CancellationToken ct)
    {
        var pin = new { RunId = runId, Model = model, Alias = alias };
        const string select = "SELECT version FROM {workflows.run_pins} WHERE run_id = @RunId AND model = @Model";
        return await database.ReadFirstAsync<int?>(select, pin, ct) ?? await database.WriteAsync(async tx =>
        {
            await tx.ExecuteAsync("""
                INSERT INTO {workflows.run_pins} (run_id, model, version)
                SELECT @RunId, a.model, a.version FROM {model_registry.aliases} a
                WHERE a.model = @Model AND a.alias = @Alias AND NOT EXISTS (SELECT 1 FROM {workflows.run_pins} WHERE run_id = @RunId AND model = @Model)
                """, pin);
            return await tx.ScalarAsync<int?>(select, pin);
        }, ct, durable: false);
    }

    private sealed class CoverageRow
    {
        public string Pipeline { get; set; } = "";

        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }
    }

    private sealed class LogRow
    {
        public long LogId { get; set; }

        public long RunId { get; set; }

        public long? StageRunId { get; set; }

        public int? Attempt { get; set; }

        public Utc LoggedAt { get; set; }

        public string Level { get; set; } = "";

        public string Message { get; set; } = "";
    }

    private sealed class HostRow
    {
        public string Host { get; set; } = "";

        public string Engine { get; set; } = "";

        public int ProcessId { get; set; }

        public string Kind { get; set; } = "";

        public string? Url { get; set; }

        public string Queues { get; set; } = "";

        public string CodeVersion { get; set; } = "";

        public string? Stages { get; set; }

        public Utc StartedAt { get; set; }

        public Utc LastSeen { get; set; }
    }
}
