namespace AiWorkflows.Workflows;

/// <summary>Creates the jobs that execute ready steps. The ledger decides what is ready; the dispatcher only carries it out and shows it.</summary>
internal interface IJobDispatcher
{
    /// <summary>Names this instance of the job engine. Job ids of another instance are dead: an in-memory engine starts them at 1 again.</summary>
    string EngineId { get; }

    /// <summary>Creates a job that calls <see cref="RunEngine.ExecuteStepAsync"/>, as a continuation of <paramref name="parentJobId"/> where that is given.</summary>
    /// <returns>The id of the job.</returns>
    string Enqueue(DispatchedStep step, string title, string? parentJobId);

    /// <summary>Whether the job of this instance can still be executed (waiting, scheduled or running).</summary>
    bool IsAlive(string jobId);
}

/// <summary>What the job that executed a step has to do next.</summary>
internal enum StepOutcomeKind
{
    /// <summary>The step has succeeded, or there was nothing to do: the job has succeeded.</summary>
    Done,

    /// <summary>The job has to be executed again, not before <see cref="StepOutcome.RetryIn"/> has passed.</summary>
    Retry,

    /// <summary>The step has failed for good; <see cref="StepOutcome.Message"/> says why.</summary>
    Failed,

    /// <summary>The step was cancelled, or the attempt lost its lease: the job stops and publishes nothing.</summary>
    Cancelled,

    /// <summary>The host is stopping and has given the step back; the job has to be executed again, by whoever comes.</summary>
    Released,
}

/// <summary>The outcome of executing a step, for the job that did it.</summary>
/// <param name="RetryIn">A span and no moment, because the clocks of host and database may differ.</param>
internal sealed record StepOutcome(StepOutcomeKind Kind, TimeSpan? RetryIn = null, string? Message = null)
{
    public static StepOutcome Done { get; } = new(StepOutcomeKind.Done);

    public static StepOutcome Released { get; } = new(StepOutcomeKind.Released);

    public static StepOutcome Cancelled(string message) => new(StepOutcomeKind.Cancelled, Message: message);

    public static StepOutcome Retry(TimeSpan after, string? message = null) => new(StepOutcomeKind.Retry, after, message);

    public static StepOutcome Failed(string message) => new(StepOutcomeKind.Failed, Message: message);
}
