namespace AiWorkflows;

/// <summary>
/// Names of the authorization policies that guard dashboard and API. By default they want the role <c>viewer</c> or <c>operator</c>; a program that adds
/// a policy of the same name after <see cref="AiWorkflowsHost.AddAiWorkflows"/> decides itself, and can put its own endpoints behind them.
/// </summary>
public static class AiWorkflowsPolicies
{
    /// <summary>To look at anything, and to ask for predictions.</summary>
    public const string Viewer = "AiWorkflows.Viewer";

    /// <summary>To change anything: request, cancel and resume runs, pause schedules, requeue and delete jobs.</summary>
    public const string Operator = "AiWorkflows.Operator";
}
