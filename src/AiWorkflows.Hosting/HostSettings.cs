using AiWorkflows.Storage;

namespace AiWorkflows.Hosting;

/// <summary>The options, resolved once: absolute paths, the identity of this process, the code that runs.</summary>
internal sealed record HostSettings
{
    public required AiWorkflowsOptions Options { get; init; }

    /// <summary>What is wrong with the configuration; nothing is done while there is any.</summary>
    public required IReadOnlyList<string> Errors { get; init; }

    /// <summary>The directory that relative paths start from.</summary>
    public required string ContentRoot { get; init; }

    public required string DataDirectory { get; init; }

    /// <summary>The SQLite file, absolute; without meaning where the database is shared. Of a replay it is another, so it is asked for when it is needed.</summary>
    public required string DatabasePath { get => Replay is null ? field : Path.Combine(DataDirectory, "replay.db"); init; }

    /// <summary>Null unless this host replays history.</summary>
    public ReplayCourse? Replay { get; private set; }

    public required string CodeVersion { get; init; }

    /// <summary>Name of this host, unique among hosts: machine, process and the start of the engine id.</summary>
    public required string HostName { get; init; }

    /// <summary>Names the job engine: of this process, because job ids of an engine in memory start again at 1 in every process; or the one that all hosts share.</summary>
    public required string EngineId { get; init; }

    private const string SharedEngine = "sqlserver";

    /// <summary>Whether several hosts may work on the database at once.</summary>
    public bool IsShared => Options.Engine == StoreEngine.SqlServer && Errors.Count == 0;

    public static HostSettings Resolve(AiWorkflowsOptions options, List<string> errors, string contentRoot, string codeVersion)
    {
        var dataDirectory = FullPath(options.DataDirectory, contentRoot, "AiWorkflows:DataDirectory", errors);
        var engine = Guid.CreateVersion7().ToString("N");
        return new HostSettings
        {
            Options = options,
            Errors = errors,
            ContentRoot = contentRoot,
            DataDirectory = dataDirectory,
            DatabasePath = DatabaseOf(options, contentRoot, dataDirectory, errors),
            CodeVersion = codeVersion,
            HostName = $"{Environment.MachineName}:{Environment.ProcessId}:{engine[^6..]}",
            EngineId = options.Engine == StoreEngine.SqlServer ? SharedEngine : engine,
        };
    }

    /// <summary>Turns to the database of a replay; nobody has asked for the other one yet.</summary>
    public void ReplayInstead(ReplayCourse course) => Replay = course;

    /// <exception cref="InvalidRequestException">The configuration has mistakes, which it lists.</exception>
    public void ThrowIfWrong()
    {
        if (Errors.Count > 0)
            throw new InvalidRequestException(Errors.Count == 1
                ? $"Wrong configuration: {Errors[0]}"
                : $"Wrong configuration, {Errors.Count} mistakes:\n" + string.Join("\n", Errors.Select((error, i) => $"  {i + 1}. {error}")));
    }

    private static string DatabaseOf(AiWorkflowsOptions options, string contentRoot, string dataDirectory, List<string> errors)
    {
        if (options.Engine == StoreEngine.SqlServer && StorageServices.MistakeInSqlServer(options.ConnectionString) is { } mistake)
            errors.Add(mistake);
        if (options.ConnectionString is not { } connectionString || options.Engine != StoreEngine.Sqlite)
            return Path.Combine(dataDirectory, "aiworkflows.db");
        try
        {
            var source = StorageServices.SqliteFileOf(connectionString);
            if (source.Length > 0 && source != ":memory:")
                return FullPath(source, contentRoot, "AiWorkflows:ConnectionString", errors);
            errors.Add("AiWorkflows:ConnectionString names no file; give 'Data Source=FILE' (a database in memory cannot survive a restart and is refused).");
        }
        catch (ArgumentException e)
        {
            errors.Add($"AiWorkflows:ConnectionString cannot be read ({e.Message.TrimEnd('.')}); give 'Data Source=FILE'.");
        }
        return Path.Combine(dataDirectory, "aiworkflows.db");
    }

    private static string FullPath(string path, string contentRoot, string setting, List<string> errors)
    {
        try
        {
            return Path.GetFullPath(path.Length == 0 ? "data" : path, contentRoot);
        }
        catch (ArgumentException)
        {
            errors.Add($"{setting} is '{path.Replace("\0", "\\0", StringComparison.Ordinal)}', which is no path.");
            return contentRoot;
        }
    }
}
