namespace AiWorkflows.Hosting.Security;

/// <summary>What somebody may do. An operator may do what a viewer may.</summary>
internal static class Roles
{
    /// <summary>May look, and ask for predictions.</summary>
    public const string Viewer = "viewer";

    /// <summary>May also request, cancel, resume, pause, requeue and delete.</summary>
    public const string Operator = "operator";

    public static readonly string[] All = [Viewer, Operator];
}
