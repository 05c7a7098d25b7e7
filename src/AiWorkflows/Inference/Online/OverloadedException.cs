namespace AiWorkflows.Inference;

/// <summary>More is asked than can be logged in time; nothing was answered. Asking again a little later is safe, with a request id also where the log has got the request after all.</summary>
internal sealed class OverloadedException(string message) : AiWorkflowsException(message);
