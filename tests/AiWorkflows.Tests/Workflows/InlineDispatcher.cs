using System.Globalization;
using System.Collections.Concurrent;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Workflows;

/// <summary>Executes jobs as tasks: a continuation after its parent, a retry when it is due. Remembers what it was asked for.</summary>
internal sealed class InlineDispatcher : IJobDispatcher, IDisposable
{
    private readonly ConcurrentDictionary<string, Task<StepOutcome>> _jobs = [];
    private readonly CancellationTokenSource _stop = new();
    private int _lastId;

    public string EngineId { get; } = Guid.NewGuid().ToString("N");

    public RunEngine Engine { get; set; } = null!;

    /// <summary>Steps whose jobs vanish as soon as they are made, as with a process that dies in that moment.</summary>
    public Func<DispatchedStep, bool> Loses { get; set; } = static _ => false;

    public ConcurrentQueue<(string JobId, DispatchedStep Step, string Title, string? ParentJobId)> Enqueued { get; } = [];

    public IEnumerable<Task<StepOutcome>> Jobs => _jobs.Values;

    /// <summary>Waits for all jobs but the newest of a step.</summary>
    public Task AllButAsync(string step) => AllButJobAsync(Enqueued.Last(n => n.Step.Step == step).JobId);

    /// <summary>Waits for all jobs but this one.</summary>
    public Task AllButJobAsync(string jobId) => Task.WhenAll(Enqueued.Where(e => e.JobId != jobId).Select(e => _jobs[e.JobId]));

    public string Enqueue(DispatchedStep step, string title, string? parentJobId)
    {
        var id = Interlocked.Increment(ref _lastId).ToString(CultureInfo.InvariantCulture);
        Enqueued.Enqueue((id, step, title, parentJobId));
        if (Loses(step))
            return id;
        var known = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // The parent is the job that is enqueueing, so the child may not wait for it inside the call.
        _jobs[id] = Task.Run(async () =>
        {
            // Not before its own children can find it.
            await known.Task;
            if (parentJobId is not null)
                await _jobs[parentJobId];
            while (true)
            {
                var outcome = await Engine.ExecuteStepAsync(step.StageRunId, id, _stop.Token);
                if (outcome.Kind != StepOutcomeKind.Retry || _stop.IsCancellationRequested)
                    return outcome;
                var wait = outcome.RetryIn!.Value;
                await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1));
            }
        });
        known.SetResult();
        return id;
    }

    public void Dispose() => _stop.Dispose();

    public bool IsAlive(string jobId) => _jobs.TryGetValue(jobId, out var job) && !job.IsCompleted;

    /// <summary>What the host does when it stops: running code is told to stop and gives its step back.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(Jobs);
    }
}
