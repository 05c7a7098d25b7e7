namespace AiWorkflows.Workflows;

/// <summary>How a host executes runs. Hosting sets names and folders; tests shorten the times.</summary>
internal sealed class RunEngineOptions
{
    /// <summary>Name of this host, as <c>workflows.hosts</c> and the stage runs show it.</summary>
    public required string Host { get; init; }

    public required string CodeVersion { get; init; }

    /// <summary>Absolute path of the folder for materialised training datasets.</summary>
    public required string DatasetDirectory { get; init; }

    /// <summary>Whether this host is the only one (embedded engine): at its start it takes over everything that is marked as running.</summary>
    public bool OnlyHost { get; init; } = true;

    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(60);

    public TimeSpan Beat { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan Sweep { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Age from which a dispatched step without a living job is dispatched again.</summary>
    public TimeSpan StaleDispatch { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Lost leases after which a step fails.</summary>
    public int MaxLost { get; init; } = 10;

    /// <summary>Dispatched steps of one run at a time.</summary>
    public int DispatchCap { get; init; } = 16;

    /// <summary>Wait after the first failure; each further one waits six times as long, up to <see cref="MaxBackoff"/>.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often an attempt takes its difference again after a conflict before it gives the step back.</summary>
    public int ConflictTries { get; init; } = 5;

    /// <summary>How long code that ignores its cancellation is waited for before its task is abandoned.</summary>
    public TimeSpan AbandonAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a stage may be unknown to all hosts before it fails: between the end of the last old host and the start of the first new one of an upgrade.</summary>
    public TimeSpan UnknownFor { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How soon a job comes back that was delivered to a host which does not know its stage.</summary>
    public TimeSpan UnknownRetry { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Pieces of code that run at a time; when as many were abandoned, the process has to end.</summary>
    public int Workers { get; init; } = int.MaxValue;

    /// <summary>Interval in which log lines go to the ledger.</summary>
    public TimeSpan LogFlush { get; init; } = TimeSpan.FromMilliseconds(500);
}
