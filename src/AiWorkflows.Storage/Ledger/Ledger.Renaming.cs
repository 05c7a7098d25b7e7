using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    private const string HeldUnder = """
        SELECT CASE WHEN EXISTS (SELECT 1 FROM {workflows.coverage} WHERE pipeline = @Former) OR EXISTS (SELECT 1 FROM {workflows.watermarks} WHERE pipeline = @Former)
            OR EXISTS (SELECT 1 FROM {workflows.stage_runs} WHERE stage = @Former) OR EXISTS (SELECT 1 FROM {prediction_log.batches} WHERE pipeline = @Former) THEN 1 ELSE 0 END
        """;

    public async Task RenameStagesAsync(IReadOnlyList<(string Former, string Present)> renames, CancellationToken ct)
    {
        foreach (var (former, present) in renames)
            if (await database.ReadFirstAsync<long>(HeldUnder, new { Former = former }, ct) == 1)
                await database.WriteAsync(tx => RenameAsync(tx, former, present), ct);
    }

    private static async Task RenameAsync(WriteTransaction tx, string former, string present)
    {
        var names = new { Former = former, Present = present };
        foreach (var suffix in new[] { "", RunPlanner.PublishOf(""), RunPlanner.OutcomesOf("") })
        {
            var step = new { Former = former, Present = present, FormerStep = former + suffix, PresentStep = present + suffix };
            await tx.ExecuteAsync("UPDATE {workflows.stage_runs} SET stage = @Present, step = @PresentStep WHERE stage = @Former AND step = @FormerStep", step);
            await tx.ExecuteAsync("UPDATE {workflows.run_edges} SET step = @PresentStep WHERE step = @FormerStep", step);
            await tx.ExecuteAsync("UPDATE {workflows.run_edges} SET after_step = @PresentStep WHERE after_step = @FormerStep", step);
        }
        // A host of the old version may have gone on under the old name while one of the new version was there already: then both names have rows.
        await tx.ExecuteAsync("""
            UPDATE {workflows.coverage} SET pipeline = @Present
            WHERE pipeline = @Former AND NOT EXISTS (SELECT 1 FROM {workflows.coverage} o WHERE o.pipeline = @Present AND o.run_id = {workflows.coverage}.run_id
                AND o.window_from = {workflows.coverage}.window_from AND o.window_to = {workflows.coverage}.window_to)
            """, names);
        await tx.ExecuteAsync("DELETE FROM {workflows.coverage} WHERE pipeline = @Former", names);
        await tx.ExecuteAsync("""
            UPDATE {workflows.watermarks} SET pipeline = @Present
            WHERE pipeline = @Former AND NOT EXISTS (SELECT 1 FROM {workflows.watermarks} o WHERE o.pipeline = @Present AND o.input = {workflows.watermarks}.input)
            """, names);
        await tx.ExecuteAsync("DELETE FROM {workflows.watermarks} WHERE pipeline = @Former", names);
        await tx.ExecuteAsync("""
            UPDATE {workflows.reopened} SET pipeline = @Present
            WHERE pipeline = @Former AND NOT EXISTS (SELECT 1 FROM {workflows.reopened} o WHERE o.pipeline = @Present AND o.window_from = {workflows.reopened}.window_from)
            """, names);
        await tx.ExecuteAsync("DELETE FROM {workflows.reopened} WHERE pipeline = @Former", names);
        await tx.ExecuteAsync("UPDATE {prediction_log.batches} SET pipeline = @Present WHERE pipeline = @Former", names);
        await AuditAsync(tx, "upgrade", "rename", $"stage {former}", $"is called {present}");
    }
}
