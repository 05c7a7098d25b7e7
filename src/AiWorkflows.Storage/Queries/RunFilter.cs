using AiWorkflows.Workflows;

namespace AiWorkflows.Storage.Queries;

/// <summary>
/// How a list of runs is narrowed to a workflow and a state. Only what is asked for stands in the text, and a state stands there as a word:
/// else neither engine could use an index of its workflow, or the small ones of the runs that are open or in trouble.
/// </summary>
internal static class RunFilter
{
    public static string In(string? state) => state switch
    {
        null => "",
        States.Requested => "AND r.state IN ('requested', 'running') AND r.state = 'requested'",
        States.Running => "AND r.state IN ('requested', 'running') AND r.state = 'running'",
        States.Failed => "AND r.state IN ('failed', 'cancelled') AND r.state = 'failed'",
        States.Cancelled => "AND r.state IN ('failed', 'cancelled') AND r.state = 'cancelled'",
        _ => "AND r.state = @state",
    };

    /// <summary>Whether the runs in the state are found by an index of them alone, however few they are.</summary>
    public static bool IsIndexed(string? state) => state is States.Requested or States.Running or States.Failed or States.Cancelled;
}
