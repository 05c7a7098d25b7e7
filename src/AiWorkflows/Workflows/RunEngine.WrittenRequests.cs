using Microsoft.Extensions.Logging;

namespace AiWorkflows.Workflows;

internal sealed partial class RunEngine
{
    /// <summary>Requests what somebody has asked for in SQL. Several hosts may do so at once: a request becomes one run, whoever comes first.</summary>
    private async Task TakeWrittenRequestsAsync(CancellationToken ct)
    {
        foreach (var written in await Ledger.WrittenRequestsAsync(ct))
        {
            // Another host that shares the database may define it.
            if (_catalog.FindWorkflow(written.Workflow) is null)
                continue;
            try
            {
                var result = await RequestAsync(Request(written), ct);
                await Ledger.AnswerRequestAsync(written.RequestId, Outcome(result.Outcome), result.RunId, result.Message, ct);
            }
            catch (InvalidRequestException e)
            {
                _log.LogWarning("Request {RequestId} by {RequestedBy} was refused: {Reason}", written.RequestId, written.RequestedBy, e.Message);
                await Ledger.AnswerRequestAsync(written.RequestId, "refused", null, e.Message, ct);
            }
        }
    }

    private WorkflowRequest Request(WrittenRequest written) => new(
        written.Workflow, written is { From: { } from, To: { } to } ? RequireWindow(written.Workflow, from, to) : null, written.RequestedBy, "sql", DedupKey: $"sql:{written.RequestId}");

    private static string Outcome(RequestOutcome outcome) => outcome switch
    {
        RequestOutcome.Requested => "requested",
        RequestOutcome.AlreadyOpen => "open",
        RequestOutcome.Resumed => "resumed",
        _ => "nothing",
    };
}
