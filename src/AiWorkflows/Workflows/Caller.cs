namespace AiWorkflows.Workflows;

/// <summary>
/// On whose behalf the current flow of control acts, and from where: what the audit records. A request sets it once for everything that it causes;
/// null in commands and in the host's own work.
/// </summary>
/// <param name="Name">The name that signed in, or <c>api</c> or <c>dashboard</c> where nobody has to.</param>
/// <param name="From">The address that the request came from.</param>
internal sealed record Caller(string Name, string? From)
{
    private static readonly AsyncLocal<Caller?> Ambient = new();

    public static Caller? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }
}
