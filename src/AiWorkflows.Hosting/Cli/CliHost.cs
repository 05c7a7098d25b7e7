using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Cli;

/// <summary>The host that a command becomes when no other holds the database.</summary>
internal sealed class CliHost(CliContext context) : IAsyncDisposable
{
    public bool IsHost { get; private set; }

    public async Task<bool> TryStartAsync(CancellationToken ct)
    {
        await context.Get<RunEngine>().RegisterAsync(ct);
        return IsHost;
    }

    public Task<string> OtherAsync(CancellationToken ct) => Task.FromResult(IsHost ? "This host" : "Another host");

    public static Task<bool> IsHeldAsync(CliContext context, CancellationToken ct) => Task.FromResult(false);

    public StepRow WithProgress(StepRow step) => IsHost ? step with { } : step;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
