using AiWorkflows.Storage;
using AiWorkflows.Tests.Dashboard;

[assembly: AssemblyFixture(typeof(AiWorkflows.BrowserTests.SharedPages))]

namespace AiWorkflows.BrowserTests;

/// <summary>
/// One browser for all tests, and one dashboard, whose ledger is filled by hand, for those that change nothing. Both are started by the first test that asks.
/// </summary>
public sealed class SharedPages : IAsyncDisposable
{
    private const string Strict = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'";

    private readonly Lazy<Task<Browser>> _browser = new(Browser.StartAsync);
    private readonly Lazy<Task<DashboardHost>> _host = new(StartAsync);

    /// <summary>Whether the tests are allowed minutes: the dark pages, and the walk through the reference application.</summary>
    public static bool AtLength { get; } = Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1";

    internal Task<Browser> BrowserAsync()
    {
        Browser.SkipWithoutChromium();
        return _browser.Value;
    }

    internal Task<DashboardHost> HostAsync() => _host.Value;

    /// <summary>A dashboard as the shared one, of which a test may change what it likes.</summary>
    internal static async Task<DashboardHost> StartAsync()
    {
        var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock, contentSecurityPolicy: Strict);
        await DashboardSeed.FillAsync(host);
        await host.Database.WriteAsync(async tx =>
        {
            await ModelSeed.FillAsync(tx);
            await PredictionSeed.BatchAsync(tx, 1, DashboardSeed.Clock.Date.AddDays(-2), TimeSpan.FromDays(1), 30);
            await PredictionSeed.OnlineAsync(tx, 2, DashboardSeed.Clock.Date, 30);
            for (var day = 1; day < 9; day++)
                await PredictionSeed.MetricAsync(tx, DashboardSeed.Clock.Date.AddDays(-day), 0.75 + day % 3 * 0.01, 4000, day == 1 ? 2000 : 4000);
        }, CancellationToken.None);
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        if (_host.IsValueCreated)
            await (await _host.Value).DisposeAsync();
        if (_browser.IsValueCreated)
            await (await _browser.Value).DisposeAsync();
    }
}
