namespace AiWorkflows;

/// <summary>
/// Who may use dashboard and API, and how much at a time: the section <c>AiWorkflows:Security</c>. Keys that <c>keys create</c> has made are in the
/// database and need no configuration; any authentication scheme of ASP.NET Core that the program adds is asked too.
/// </summary>
public sealed class SecurityOptions
{
    /// <summary>Whether somebody who has not signed in is refused.</summary>
    /// <value>
    /// The default value is null: yes, as soon as there is a key or an authentication scheme. False lets everybody on this machine in, keys or not; a host
    /// that others can reach does not start with it.
    /// </value>
    public bool? RequireAuthentication { get; set; }

    /// <summary>Keys by name, for hosts that get their configuration from elsewhere: <c>AiWorkflows:Security:ApiKeys:NAME:Hash</c> and <c>:Role</c>.</summary>
    public IDictionary<string, ApiKeyOptions> ApiKeys { get; } = new Dictionary<string, ApiKeyOptions>(StringComparer.Ordinal);

    /// <summary>How many requests a second are answered for one key, person or address; twice as many in a burst. More get 429.</summary>
    /// <value>The default value is 200; 0 sets no limit.</value>
    public int RequestsPerSecond { get; set; } = 200;

    /// <summary>How many requests a second for predictions are answered for one key, person or address; twice as many in a burst.</summary>
    /// <value>The default value is 0: no limit but what the prediction log takes.</value>
    public int PredictionsPerSecond { get; set; }

    /// <summary>The largest body of a request, in bytes.</summary>
    /// <value>The default value is 4 MiB.</value>
    public long MaxBodyBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>How many hours of disuse end a session of the dashboard.</summary>
    /// <value>The default value is 8.</value>
    public int SessionHours { get; set; } = 8;
}

/// <summary>A key of the configuration. The key itself stands nowhere.</summary>
public sealed class ApiKeyOptions
{
    /// <summary>SHA-256 of the whole key, in hexadecimal.</summary>
    public string Hash { get; set; } = "";

    /// <summary><c>viewer</c>, who may look and predict, or <c>operator</c>, who may also act.</summary>
    public string Role { get; set; } = "";
}
