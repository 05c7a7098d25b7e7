namespace AiWorkflows;

/// <summary>Where the ledger, features, models and predictions are kept.</summary>
public enum StoreEngine
{
    /// <summary>The embedded engine: one SQLite file and one host. Needs nothing installed.</summary>
    Sqlite,

    /// <summary>SQL Server 2019 or later, or Azure SQL, shared by any number of hosts.</summary>
    SqlServer,
}

/// <summary>
/// What a host is configured with: the section <c>AiWorkflows</c> of appsettings.json, the environment (<c>AiWorkflows__Engine</c>) and the
/// command line (<c>--AiWorkflows:Engine=Sqlite</c>). All mistakes are reported at once when the host starts, with exit code 2.
/// </summary>
public sealed class AiWorkflowsOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string SectionName = "AiWorkflows";

    /// <summary>The store.</summary>
    /// <value>The default value is <see cref="StoreEngine.Sqlite"/>.</value>
    public StoreEngine Engine { get; set; } = StoreEngine.Sqlite;

    /// <summary>How to reach the store; on SQLite <c>Data Source=FILE</c>, a relative file lying below the content root.</summary>
    /// <value>The default value is null: the file <c>aiworkflows.db</c> in <see cref="DataDirectory"/>.</value>
    public string? ConnectionString { get; set; }

    /// <summary>
    /// Directory of the database, model artifacts and training datasets; never of raw data. A relative one lies below the content root: the directory
    /// in which appsettings.json was found, which is the current directory, one above it, or that of the program.
    /// </summary>
    /// <value>The default value is <c>data</c>.</value>
    public string DataDirectory { get; set; } = "data";

    /// <summary>Instant at which the business clock stands; in configuration ISO-8601 with Z or an offset.</summary>
    /// <value>The default value is null: the clock goes with the system's.</value>
    public DateTimeOffset? Clock { get; set; }

    /// <summary>How many jobs of each queue run at a time in this host.</summary>
    public WorkerOptions Workers { get; set; } = new();

    /// <summary>Who is told when a run fails.</summary>
    public WebhookOptions Webhook { get; set; } = new();

    /// <summary>What is removed when it is old enough.</summary>
    public RetentionOptions Retention { get; set; } = new();

    /// <summary>How single requests for predictions are answered.</summary>
    public OnlineInferenceOptions Online { get; set; } = new();

    /// <summary>How a serving host works on streams.</summary>
    public StreamingOptions Streams { get; set; } = new();

    /// <summary>Where <c>serve</c> listens, separated by semicolons. ASP.NET Core's own settings (<c>--urls</c>, <c>ASPNETCORE_URLS</c>) win.</summary>
    /// <value>The default value is <c>http://localhost:5000</c>.</value>
    public string Urls { get; set; } = "http://localhost:5000";

    /// <summary>Who may come in, and how much at a time.</summary>
    public SecurityOptions Security { get; set; } = new();
}

/// <summary>
/// How many jobs of each queue run at a time in this host, at most 64. With 0 the host leaves the queue to others that share its SQL Server, so that training can have a
/// machine of its own; at least one queue needs a worker.
/// </summary>
public sealed class WorkerOptions
{
    /// <summary>Feature pipelines.</summary>
    /// <value>The default value is 2, or 1 on a machine with a single core.</value>
    public int Features { get; set; } = Math.Clamp(Environment.ProcessorCount, 1, 2);

    /// <summary>Training pipelines, each of which may use much memory.</summary>
    /// <value>The default value is 1.</value>
    public int Training { get; set; } = 1;

    /// <summary>Batch inference.</summary>
    /// <value>The default value is 2, or 1 on a machine with a single core.</value>
    public int Inference { get; set; } = Math.Clamp(Environment.ProcessorCount, 1, 2);

    /// <summary>Short steps that publish, split and tick.</summary>
    /// <value>The default value is 1.</value>
    public int Control { get; set; } = 1;
}

/// <summary>A POST of JSON (<c>run_id, workflow, state, error, window_from, window_to, url</c>) for each run that fails. It never makes a run fail.</summary>
public sealed class WebhookOptions
{
    /// <summary>Address, http or https.</summary>
    /// <value>The default value is null: nobody is told.</value>
    public string? Url { get; set; }
}

/// <summary>
/// How long what is kept, each as a time span; in configuration a number with a unit: <c>30d</c>, <c>36h</c>, <c>90min</c>. What is not set is kept for ever.
/// Nothing is removed that somebody may still read; <c>retention plan</c> shows what would be.
/// </summary>
public sealed class RetentionOptions
{
    /// <summary>Log lines of ended runs, by the time they were written.</summary>
    /// <value>The default value is null: for ever.</value>
    public TimeSpan? StageLogs { get; set; }

    /// <summary>Ended runs with their steps and attempts, except those that a model or a batch of predictions leads back to.</summary>
    /// <value>The default value is null: for ever.</value>
    public TimeSpan? Runs { get; set; }

    /// <summary>Rows in quarantine, replayed or not.</summary>
    /// <value>The default value is null: for ever.</value>
    public TimeSpan? Quarantine { get; set; }

    /// <summary>Versions of feature rows, from when a later commit has replaced them; not those that a dataset, a batch of predictions or running work reads.</summary>
    /// <value>The default value is null: for ever.</value>
    public TimeSpan? FeatureVersions { get; set; }

    /// <summary>Records of commits and batches that were never published.</summary>
    /// <value>The default value is null: for ever.</value>
    public TimeSpan? DiscardedCommits { get; set; }

    /// <summary>Rows of published batches of predictions; the batch's own record stays.</summary>
    /// <value>The default value is null: for ever.</value>
    public TimeSpan? Predictions { get; set; }

    /// <summary>Saved models that no alias points at, nor would after a rollback.</summary>
    /// <value>The default value is null: for ever.</value>
    public TimeSpan? ModelArtifacts { get; set; }

    /// <summary>
    /// How long a model version that no alias points at holds the feature versions it was trained on. After that they go as <see cref="FeatureVersions"/> says, and the
    /// version and its dataset are marked as not reproducible, with the reason.
    /// </summary>
    /// <value>The default value is null: for ever.</value>
    public TimeSpan? ReproducibleFor { get; set; }

    /// <summary>When a serving host applies the policies, as a cron expression in UTC.</summary>
    /// <value>The default value is null: only the command <c>retention apply</c> does.</value>
    public string? Schedule { get; set; }
}

/// <summary>How a serving host works on streams.</summary>
public sealed class StreamingOptions
{
    /// <summary>Events that are published in one transaction at most.</summary>
    /// <value>The default value is 5000.</value>
    public int MaxBatch { get; set; } = 5_000;

    /// <summary>Events of a stream that may have been taken in and not been published yet; beyond it requests are turned away with 503 and Retry-After.</summary>
    /// <value>The default value is 1000000.</value>
    public int MaxBehind { get; set; } = 1_000_000;

    /// <summary>How long events are kept as they came, once they are published, and how long the names of requests are known; the rows of their group stay.</summary>
    /// <value>The default value is a day.</value>
    public TimeSpan KeepEvents { get; set; } = TimeSpan.FromDays(1);
}

/// <summary>How single requests for predictions are answered.</summary>
public sealed class OnlineInferenceOptions
{
    /// <summary>Instances that one request may hold.</summary>
    /// <value>The default value is 1000.</value>
    public int MaxInstances { get; set; } = 1000;

    /// <summary>Predictions that may wait to be logged; beyond it requests are turned away with 503 and Retry-After.</summary>
    /// <value>The default value is 10000.</value>
    public int MaxWaiting { get; set; } = 10_000;

    /// <summary>Models without whose champion the host is not ready (<c>/health/ready</c>), for hosts that are there to predict. Of others a missing champion is a warning.</summary>
    /// <value>Empty by default.</value>
    public IList<string> RequiredModels { get; } = [];

    /// <summary>By model: what the version behind the alias <c>challenger</c> does with the requests that the champion answers.</summary>
    /// <value>Empty by default: nothing.</value>
    public IDictionary<string, ChallengerOptions> Challengers { get; } = new Dictionary<string, ChallengerOptions>(StringComparer.Ordinal);
}

/// <summary>What a challenger does with a model's requests; one of the two.</summary>
public sealed class ChallengerOptions
{
    /// <summary>Whether it scores every request too, without answering; what it says is logged with the role <c>shadow</c>.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool Shadow { get; set; }

    /// <summary>Share of the entities, from 0 to 1, whose requests it answers in the champion's place; always the same entities.</summary>
    /// <value>The default value is 0.</value>
    public double Share { get; set; }
}
