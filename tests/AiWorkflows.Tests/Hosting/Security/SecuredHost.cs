using System.Net;
using System.Net.Http.Headers;
using AiWorkflows.Hosting.Security;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Security;
using AiWorkflows.Tests.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Hosting.Security;

/// <summary>A host with a key for a viewer and one for an operator.</summary>
internal sealed class SecuredHost : IAsyncDisposable
{
    private readonly TempDirectory _directory;
    private readonly List<HttpClient> _clients = [];

    private SecuredHost(TempDirectory directory, ServedHost served, string viewer, string operatorKey) => (_directory, Served, Viewer, Operator) = (directory, served, viewer, operatorKey);

    public ServedHost Served { get; }

    /// <summary>The viewer's key; its name is <c>vera</c>.</summary>
    public string Viewer { get; }

    /// <summary>The operator's key; its name is <c>otto</c>.</summary>
    public string Operator { get; }

    public ApiKeyStore Keys => Served.Services.GetRequiredService<ApiKeyStore>();

    public static async Task<SecuredHost> StartAsync(Dictionary<string, string?>? settings = null, Probe? probe = null, Action<WebApplicationBuilder>? configure = null)
    {
        var directory = new TempDirectory();
        directory.File("appsettings.json", "{}");
        var (viewer, operatorKey) = (ApiKey.Create().Key, ApiKey.Create().Key);
        var all = new Dictionary<string, string?>(settings ?? [])
        {
            ["AiWorkflows:Security:ApiKeys:vera:Hash"] = ApiKey.HashOf(viewer), ["AiWorkflows:Security:ApiKeys:vera:Role"] = "viewer",
            ["AiWorkflows:Security:ApiKeys:otto:Hash"] = ApiKey.HashOf(operatorKey), ["AiWorkflows:Security:ApiKeys:otto:Role"] = "operator",
        };
        return new(directory, await ServedHost.StartAsync(directory.FullName, probe, all, configure), viewer, operatorKey);
    }

    /// <summary>A client of its own; without a key if none is given.</summary>
    public HttpClient Client(string? key = null, bool cookies = false)
    {
        var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = cookies, CookieContainer = new CookieContainer() }) { BaseAddress = Served.Http.BaseAddress };
        if (key is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        _clients.Add(client);
        return client;
    }

    public Task<IReadOnlyList<string>> AuditAsync() => Served.Services.GetRequiredService<StoreDatabase>().ReadAsync<string>(
        "SELECT done_by || ' ' || action || ' ' || subject || ' ' || COALESCE(done_from, 'here') FROM {workflows.audit} ORDER BY audit_id", null, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            client.Dispose();
        await Served.DisposeAsync();
        _directory.Dispose();
    }
}

/// <summary>A host for tests that change nothing in it.</summary>
public sealed class SharedSecuredHost : IAsyncLifetime
{
    internal SecuredHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Host = await SecuredHost.StartAsync();

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
