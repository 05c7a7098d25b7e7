using AiWorkflows.Hosting.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AiWorkflows.BrowserTests;

/// <summary>A whole host as a program has it, with a key for a viewer (vera) and one for an operator (otto).</summary>
internal sealed class SecuredApp : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("aiworkflows-secured-").FullName;
    private readonly WebApplication _app;
    private Task<int> _serving = Task.FromResult(0);

    private SecuredApp()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = _directory });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AiWorkflows:DataDirectory"] = _directory, ["AiWorkflows:Urls"] = "http://127.0.0.1:0", ["Logging:LogLevel:Default"] = "None", ["Logging:LogLevel:Microsoft"] = "None",
            ["AiWorkflows:Security:ApiKeys:vera:Hash"] = ApiKey.HashOf(Viewer), ["AiWorkflows:Security:ApiKeys:vera:Role"] = "viewer",
            ["AiWorkflows:Security:ApiKeys:otto:Hash"] = ApiKey.HashOf(Operator), ["AiWorkflows:Security:ApiKeys:otto:Role"] = "operator",
        });
        builder.AddAiWorkflows(_ => { });
        _app = builder.Build();
        _app.MapAiWorkflows();
    }

    public string Viewer { get; } = ApiKey.Create().Key;

    public string Operator { get; } = ApiKey.Create().Key;

    public string Url => _app.Urls.First().TrimEnd('/');

    public static async Task<SecuredApp> StartAsync()
    {
        var app = new SecuredApp();
        var started = new TaskCompletionSource();
        app._app.Lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        app._serving = app._app.RunAiWorkflowsAsync(["serve"]);
        await Task.WhenAny(started.Task, app._serving).WaitAsync(TimeSpan.FromSeconds(30));
        started.Task.IsCompleted.ShouldBeTrue("it did not serve");
        return app;
    }

    public async ValueTask DisposeAsync()
    {
        _app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await _serving.WaitAsync(TimeSpan.FromSeconds(30));
        Directory.Delete(_directory, recursive: true);
    }
}
