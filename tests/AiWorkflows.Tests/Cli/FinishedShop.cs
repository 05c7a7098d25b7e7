namespace AiWorkflows.Tests.Cli;

/// <summary>A shop whose workflow has run once, for tests that only read; others take a copy of it.</summary>
public sealed class FinishedShop : IAsyncLifetime
{
    internal ShopHost Host { get; } = new();

    internal CliResult Run { get; private set; } = new(-1, "", "");

    /// <summary>An own copy, to change.</summary>
    internal ShopHost Copy() => new(Host.Directory);

    public async ValueTask InitializeAsync()
    {
        Run = await Host.RunAsync("run", "shop");
        Run.Code.ShouldBe(0, Run.ToString());
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
