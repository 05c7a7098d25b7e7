using System.Text.Json;
using AiWorkflows.Features;
using AiWorkflows.Workflows;
using Hangfire;
using Hangfire.Storage;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>What the job page shows of a job, kept in a parameter of the job so that the page needs no query.</summary>
/// <param name="Done">Of <paramref name="Total"/>; both 0 while unknown.</param>
/// <param name="Log">The last lines, oldest first, each with its time (UTC).</param>
internal sealed record JobProgressState(
    long StageRunId, long RunId, string Stage, int Attempt, long Done, long Total, string Text, long RowsRead, long RowsWritten, IReadOnlyList<string> Log)
{
    public static JobProgressState Empty { get; } = new(0, 0, "", 0, 0, 0, "", 0, 0, []);

    /// <summary>0 to 100, or null while the total is unknown.</summary>
    public int? Percent => Total > 0 ? (int)Math.Clamp(100 * Done / Total, 0, 100) : null;

    /// <summary>Null where the job has none, or it cannot be read.</summary>
    public static JobProgressState? Read(string? json)
    {
        try
        {
            return json is null ? null : JsonSerializer.Deserialize<JobProgressState>(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Collects log and progress of one job, and writes them to the job at most once a second.</summary>
internal sealed class JobProgress : IDisposable
{
    /// <summary>Hangfire leaves parameters with this prefix out of its own table.</summary>
    public const string Parameter = "DBG_Progress";

    private const int MaxLines = 200;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly AsyncLocal<JobProgress?> Ambient = new();

    private readonly JobStorage _storage;
    private readonly string _jobId;
    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();
    private readonly Timer _timer;
    private AttemptRef? _attempt;
    private StageProgress? _progress;
    private string? _written;

    public JobProgress(JobStorage storage, BackgroundJob job)
    {
        (_storage, _jobId) = (storage, job.Id);
        // A job that is executed again goes on with the lines of its earlier attempts, as they were when it was fetched.
        foreach (var line in JobProgressState.Read(job.ParametersSnapshot?.GetValueOrDefault(Parameter))?.Log ?? [])
            _lines.Enqueue(line);
        _timer = new Timer(_ => Write(), null, Interval, Interval);
    }

    /// <summary>That of the job on whose behalf the calling code runs.</summary>
    public static JobProgress? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    /// <summary>Shows the progress of an attempt that this job has begun; a monolith's job begins one after the other.</summary>
    public static void Follow(AttemptStartedEvent started)
    {
        if (Current is not { } job)
            return;
        lock (job._gate)
            (job._attempt, job._progress) = (started.Attempt, started.Progress);
    }

    public void Add(string line)
    {
        lock (_gate)
        {
            _lines.Enqueue($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {line}");
            while (_lines.Count > MaxLines)
                _lines.Dequeue();
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Write();
    }

    private void Write()
    {
        lock (_gate)
        {
            var json = JsonSerializer.Serialize(State());
            if (json == _written)
                return;
            try
            {
                using var connection = _storage.GetConnection();
                connection.SetJobParameter(_jobId, Parameter, json);
                _written = json;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // No job fails because its log could not be shown; the ledger has the lines too.
            }
        }
    }

    private JobProgressState State() => new(
        _attempt?.StageRunId ?? 0, _attempt?.RunId ?? 0, _attempt?.Stage ?? "", _attempt?.Attempt ?? 0,
        _progress?.Done ?? 0, _progress?.Total ?? 0, _progress?.Text ?? "", _progress?.RowsRead ?? 0, _progress?.RowsWritten ?? 0, [.. _lines]);
}
