using System.Collections.Concurrent;
using Hangfire.Server;

namespace AiWorkflows.Tests.Hosting;

/// <summary>A job whose executions do, one after another, what a test wrote down.</summary>
public sealed class ScriptedJob(ScriptedJob.Script script)
{
    public async Task Run(PerformContext context, CancellationToken ct)
    {
        if (script.Parts.TryDequeue(out var part))
            await part(context, ct);
    }

    public sealed class Script
    {
        public ConcurrentQueue<Func<PerformContext, CancellationToken, Task>> Parts { get; } = [];

        public void Then(Func<PerformContext, CancellationToken, Task> part) => Parts.Enqueue(part);

        public void Then(Action part) => Parts.Enqueue((_, _) =>
        {
            part();
            return Task.CompletedTask;
        });
    }
}
