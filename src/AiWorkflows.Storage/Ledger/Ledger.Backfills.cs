using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    public async Task<(long BackfillId, bool Created)> RequestBackfillAsync(BackfillRequest request, CancellationToken ct)
    {
        try
        {
            return await TryRequestBackfillAsync(request, ct);
        }
        catch (CommitUnknownException) when (!request.Order.Again)
        {
            return await TryRequestBackfillAsync(request, ct);
        }
    }

    private Task<(long BackfillId, bool Created)> TryRequestBackfillAsync(BackfillRequest request, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var order = request.Order;
        var row = new
        {
            order.Workflow,
            From = (Utc)order.From,
            To = (Utc)order.To,
            Every = Timestamps.ToMicros(order.Every),
            order.Parallel,
            Train = order.Train ? 1 : 0,
            Backtest = order.Backtest ? 1 : 0,
            Models = ModelPin.Join(order.Models),
            order.By,
        };
        var kind = order.Backtest ? "backtest" : "backfill";
        // Whoever asks for the same at the same time waits here.
        await tx.ExecuteAsync("UPDATE {workflows.workflows} SET touch = touch + 1 WHERE workflow = @Workflow", row);
        if (!order.Again && await tx.ScalarAsync<long?>("""
            SELECT MAX(backfill_id) FROM {workflows.backfills}
            WHERE workflow = @Workflow AND window_from = @From AND window_to = @To AND every = @Every AND train = @Train AND backtest = @Backtest AND COALESCE(models, '') = COALESCE(@Models, '')
            """, row) is { } existing)
        {
            if (order.Parallel is not null)
                await tx.ExecuteAsync("UPDATE {workflows.backfills} SET parallel = @Parallel WHERE backfill_id = @BackfillId", new { order.Parallel, BackfillId = existing });
            return (existing, false);
        }
        var id = await tx.ScalarAsync<long>("""
            INSERT INTO {workflows.backfills} (workflow, window_from, window_to, every, parallel, train, backtest, models, pin_seq, requested_by, requested_at)
            {inserted:backfill_id}
            SELECT @Workflow, @From, @To, @Every, COALESCE(@Parallel, 1), @Train, @Backtest, @Models, seq, @By, {now} FROM {feature_store.publication_clock}
            {returning:backfill_id}
            """, row);
        foreach (var window in request.Windows)
            await tx.ExecuteAsync("""
                INSERT INTO {workflows.runs} (workflow, requested_by, triggered_by, mode, catch_up, hindsight, window_from, window_to, state, requested_at, backfill_id)
                VALUES (@Workflow, @By, @TriggeredBy, 'stages', 0, @Hindsight, @From, @To, 'requested', {now}, @BackfillId)
                """, new { order.Workflow, order.By, TriggeredBy = kind, Hindsight = order.Backtest ? 0 : 1, From = (Utc)window.From, To = (Utc)window.To, BackfillId = id });
        foreach (var model in request.ChampionsOf)
            await tx.ExecuteAsync("""
                INSERT INTO {workflows.run_pins} (run_id, model, version)
                SELECT r.run_id, a.model, a.version FROM {workflows.runs} r JOIN {model_registry.aliases} a ON a.model = @Model AND a.alias = 'champion' WHERE r.backfill_id = @BackfillId
                """, new { Model = model, BackfillId = id });
        foreach (var pin in order.Models)
            await tx.ExecuteAsync("INSERT INTO {workflows.run_pins} (run_id, model, version) SELECT run_id, @Model, @Version FROM {workflows.runs} WHERE backfill_id = @BackfillId",
                new { pin.Model, pin.Version, BackfillId = id });
        await AuditAsync(tx, order.By, order.Backtest ? "backtest" : "backfill", $"{kind} {id}", $"{order.Workflow} {new Window(order.From, order.To)}, {request.Windows.Count} windows");
        return (id, true);
    }, ct);

    public async Task<BackfillRecord?> FindBackfillAsync(long backfillId, CancellationToken ct) => await database.ReadFirstAsync<BackfillRow>("""
        SELECT backfill_id, workflow, window_from, window_to, every, parallel, train, backtest, models, pin_seq, requested_by, requested_at FROM {workflows.backfills} WHERE backfill_id = @BackfillId
        """, new { BackfillId = backfillId }, ct) is { } row
        ? new(row.BackfillId, row.Workflow, new(row.WindowFrom, row.WindowTo), Timestamps.SpanFromMicros(row.Every), row.Parallel, row.Train, row.Models, row.PinSeq, row.RequestedBy, row.RequestedAt, row.Backtest)
        : null;

    public Task<(int Windows, IReadOnlyList<long> Running)> CancelBackfillAsync(long backfillId, string by, string? why, CancellationToken ct) => database.WriteAsync<(int, IReadOnlyList<long>)>(async tx =>
    {
        var cancelled = new { BackfillId = backfillId, Reason = why is null ? $"cancelled by {by}" : $"cancelled by {by}: {why}" };
        await tx.ExecuteAsync("UPDATE {workflows.workflows} SET touch = touch + 1 WHERE workflow = (SELECT workflow FROM {workflows.backfills} WHERE backfill_id = @BackfillId)", cancelled);
        var running = await tx.ReadAsync<long>("SELECT run_id FROM {workflows.runs} WHERE backfill_id = @BackfillId AND state = 'running' ORDER BY run_id", cancelled);
        var windows = await tx.ExecuteAsync("""
            UPDATE {workflows.runs} SET state = 'cancelled', finished_at = {now}, reason = @Reason WHERE backfill_id = @BackfillId AND state IN ('requested', 'running')
            """, cancelled);
        if (windows == 0)
        {
            tx.RollBack();
            return (0, []);
        }
        await tx.ExecuteAsync("""
            UPDATE {workflows.stage_runs} SET state = 'cancelled', reason = @Reason, finished_at = {now}, lease_owner = NULL, lease_until = NULL
            WHERE state IN ('pending', 'running') AND run_id IN (SELECT run_id FROM {workflows.runs} WHERE backfill_id = @BackfillId AND state = 'cancelled')
            """, cancelled);
        await tx.ExecuteAsync("""
            UPDATE {workflows.attempts} SET outcome = 'cancelled', ended_at = {now}
            WHERE outcome IS NULL AND stage_run_id IN (SELECT s.stage_run_id FROM {workflows.stage_runs} s JOIN {workflows.runs} r ON r.run_id = s.run_id
                WHERE r.backfill_id = @BackfillId AND r.state = 'cancelled')
            """, cancelled);
        await AuditAsync(tx, by, "cancel", $"backfill {backfillId}", why is null ? $"{windows} windows" : $"{windows} windows, {why}");
        return (windows, running);
    }, ct);

    public Task<int> RetryBackfillAsync(long backfillId, string by, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var windows = await tx.ExecuteAsync("""
            UPDATE {workflows.runs} SET state = 'requested', finished_at = NULL, error = NULL, reason = NULL WHERE backfill_id = @BackfillId AND state IN ('failed', 'cancelled')
            """, new { BackfillId = backfillId });
        if (windows == 0)
            tx.RollBack();
        else
            await AuditAsync(tx, by, "retry", $"backfill {backfillId}", $"{windows} windows");
        return windows;
    }, ct);

    public Task<IReadOnlyList<long>> WaitingWindowsAsync(long backfillId, long runId, CancellationToken ct) => database.ReadAsync<long>("""
        SELECT r.run_id FROM {workflows.runs} r
        WHERE r.backfill_id = @BackfillId AND r.state = 'running' AND r.run_id > @RunId
          AND EXISTS (SELECT 1 FROM {workflows.stage_runs} s WHERE s.run_id = r.run_id AND s.state = 'pending' AND s.dispatched_at IS NULL)
        ORDER BY r.run_id
        """, new { BackfillId = backfillId, RunId = runId }, ct);

    public async Task<IReadOnlyList<ModelPin>> PinsAsync(long runId, CancellationToken ct) =>
        [.. (await database.ReadAsync<PinRow>("SELECT model, version FROM {workflows.run_pins} WHERE run_id = @RunId ORDER BY model", new { RunId = runId }, ct)).Select(p => new ModelPin(p.Model, p.Version))];

    public async Task<int?> PinTrainedModelAsync(long runId, string model, string alias, DateTime cutOff, CancellationToken ct)
    {
        var pin = new { RunId = runId, Model = model, Alias = alias, CutOff = (Utc)cutOff };
        const string select = "SELECT version FROM {workflows.run_pins} WHERE run_id = @RunId AND model = @Model";
        return await database.ReadFirstAsync<int?>(select, pin, ct) ?? await database.WriteAsync(async tx =>
        {
            await tx.ExecuteAsync("""
                INSERT INTO {workflows.run_pins} (run_id, model, version)
                SELECT @RunId, v.model, MAX(v.version) FROM {model_registry.versions} v
                WHERE v.model = @Model AND NOT EXISTS (SELECT 1 FROM {workflows.run_pins} WHERE run_id = @RunId AND model = @Model)
                  AND EXISTS (SELECT 1 FROM {model_registry.alias_history} h WHERE h.model = v.model AND h.version = v.version AND h.alias = @Alias)
                  AND v.cut_off = (SELECT MAX(l.cut_off) FROM {model_registry.versions} l JOIN {model_registry.alias_history} h ON h.model = l.model AND h.version = l.version
                      WHERE l.model = @Model AND h.alias = @Alias AND l.cut_off <= @CutOff)
                GROUP BY v.model
                """, pin);
            return await tx.ScalarAsync<int?>(select, pin);
        }, ct, durable: false);
    }

    private sealed class BackfillRow
    {
        public long BackfillId { get; set; }

        public string Workflow { get; set; } = "";

        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }

        public long Every { get; set; }

        public int Parallel { get; set; }

        public bool Train { get; set; }

        public bool Backtest { get; set; }

        public string? Models { get; set; }

        public long PinSeq { get; set; }

        public string RequestedBy { get; set; } = "";

        public Utc RequestedAt { get; set; }
    }

    private sealed class PinRow
    {
        public string Model { get; set; } = "";

        public int Version { get; set; }
    }
}
