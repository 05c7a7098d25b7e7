namespace AiWorkflows.Storage;

internal enum CheckState
{
    Ok,

    /// <summary>Worth knowing; everything works.</summary>
    Note,

    /// <summary>Somebody has to act.</summary>
    Wrong,
}

/// <summary>One thing that an administrator would look at, and what was found.</summary>
internal sealed record DatabaseCheck(string Name, CheckState State, string Detail);
