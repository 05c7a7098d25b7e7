namespace AiWorkflows.Inference;

/// <summary>More is asked than can be logged in time; nothing was answered or logged. Asking again a little later is safe.</summary>
internal sealed class OverloadedException(string message) : AiWorkflowsException(message);
