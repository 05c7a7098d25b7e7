namespace AiWorkflows.Storage;

/// <summary>The connection broke while a transaction was being committed: it may have been committed or not, and only the database knows.</summary>
internal sealed class CommitUnknownException(string location, Exception inner)
    : AiWorkflowsException($"The connection to {location} was lost during a commit. Look whether the change is there, and repeat it if it is not.", inner);
