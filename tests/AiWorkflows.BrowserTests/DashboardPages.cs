using AiWorkflows.Tests.Dashboard;

namespace AiWorkflows.BrowserTests;

/// <summary>A browser, and a dashboard whose ledger is filled by hand, for each test.</summary>
public abstract class DashboardPages : IAsyncLifetime
{
    private protected Browser Browser { get; private set; } = null!;

    private protected DashboardHost Host { get; private set; } = null!;

    private protected virtual string? ContentSecurityPolicy => null;

    public async ValueTask InitializeAsync()
    {
        Browser = await Browser.StartAsync();
        Host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock, contentSecurityPolicy: ContentSecurityPolicy);
        await DashboardSeed.FillAsync(Host);
        await FillAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Host is not null)
            await Host.DisposeAsync();
        if (Browser is not null)
            await Browser.DisposeAsync();
    }

    /// <summary>What these tests need beside the common ledger.</summary>
    private protected virtual Task FillAsync() => Task.CompletedTask;
}
