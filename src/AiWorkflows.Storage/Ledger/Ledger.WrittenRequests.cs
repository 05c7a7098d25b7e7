using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    public async Task<IReadOnlyList<WrittenRequest>> WrittenRequestsAsync(CancellationToken ct) =>
        [.. (await database.ReadAsync<WrittenRequestRow>("""
            SELECT request_id, workflow, window_from, window_to, requested_by FROM {workflows.run_requests} WHERE handled_at IS NULL ORDER BY request_id
            """, null, ct)).Select(r => new WrittenRequest(r.RequestId, r.Workflow, r.WindowFrom, r.WindowTo, r.RequestedBy))];

    public Task AnswerRequestAsync(long requestId, string outcome, long? runId, string message, CancellationToken ct) => database.WriteAsync(tx => tx.ExecuteAsync("""
        UPDATE {workflows.run_requests} SET handled_at = {now}, outcome = @Outcome, run_id = @RunId, message = @Message WHERE request_id = @RequestId AND handled_at IS NULL
        """, new { RequestId = requestId, Outcome = outcome, RunId = runId, Message = message }), ct);

    private sealed class WrittenRequestRow
    {
        public long RequestId { get; set; }

        public string Workflow { get; set; } = "";

        public Utc? WindowFrom { get; set; }

        public Utc? WindowTo { get; set; }

        public string RequestedBy { get; set; } = "";
    }
}
