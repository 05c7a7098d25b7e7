using AiWorkflows.Workflows;

namespace AiWorkflows.FaultHost;

/// <summary>Delivers each job twice.</summary>
internal sealed class DoubleDispatcher(IJobDispatcher inner) : IJobDispatcher
{
    public string EngineId => inner.EngineId;

    public string Enqueue(DispatchedStep step, string title, string? parentJobId)
    {
        inner.Enqueue(step, title, parentJobId);
        return inner.Enqueue(step, title, parentJobId);
    }

    public bool IsAlive(string jobId) => inner.IsAlive(jobId);
}
