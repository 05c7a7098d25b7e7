namespace AiWorkflows.Tests.Cli;

/// <summary>
/// A shop whose workflow has run once, for tests that only read; others take a copy of it. The run itself is the same for all classes of tests: it is made once.
/// </summary>
public sealed class FinishedShop : IAsyncLifetime
{
    private static readonly Lazy<Task<(ShopHost Host, CliResult Run)>> Shared = new(RunAsync);

    internal ShopHost Host { get; private set; } = null!;

    internal CliResult Run { get; private set; } = new(-1, "", "");

    /// <summary>An own copy, to change.</summary>
    internal ShopHost Copy() => new(Host.Directory);

    public async ValueTask InitializeAsync()
    {
        (var finished, Run) = await Shared.Value;
        Run.Code.ShouldBe(0, Run.ToString());
        Host = new(copyOf: finished.Directory);
    }

    public ValueTask DisposeAsync() => Host is null ? ValueTask.CompletedTask : Host.DisposeAsync();

    private static async Task<(ShopHost Host, CliResult Run)> RunAsync()
    {
        var host = new ShopHost();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(host.Directory, recursive: true);
        return (host, await host.RunAsync(["run", "shop"], CancellationToken.None));
    }
}
