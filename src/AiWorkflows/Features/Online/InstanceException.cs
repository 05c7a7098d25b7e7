namespace AiWorkflows.Features;

/// <summary>Something in a request is wrong: which field, and what it should be.</summary>
/// <param name="where">Where, as a path: <c>instances[2].hour</c>.</param>
/// <param name="problem">What was found, what was expected.</param>
internal sealed class InstanceException(string where, string problem, Exception? inner = null) : AiWorkflowsException($"{where}: {problem}", inner)
{
    public string Field => where;

    /// <summary>The message without the field.</summary>
    public string Problem => problem;
}
