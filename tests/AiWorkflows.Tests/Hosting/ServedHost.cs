using System.Net.Http.Json;
using System.Text.Json;
using AiWorkflows.Tests.Workflows;
using Hangfire;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AiWorkflows.Tests.Hosting;

/// <summary>A host that serves over real Kestrel on a free port, with three feature stages that a test can look into.</summary>
internal sealed class ServedHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RecordingConsole _console = new();
    private Task<int> _serving = Task.FromResult(-1);

    private ServedHost(string directory, Probe probe, Dictionary<string, string?> settings, Action<WebApplicationBuilder>? configure, Action<AiWorkflowsBuilder>? define)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = directory });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AiWorkflows:DataDirectory"] = Path.Combine(directory, "data"), ["AiWorkflows:Clock"] = "2001-01-04T00:00:00Z",
            ["AiWorkflows:Urls"] = "http://127.0.0.1:0", ["Logging:LogLevel:Default"] = "None", ["Logging:LogLevel:Hangfire"] = "None", ["Logging:LogLevel:Microsoft"] = "None",
        });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.AddAiWorkflows(ai =>
        {
            ai.Services.AddSingleton(probe).AddSingleton<AiWorkflows.Hosting.Cli.ICliConsole>(_console);
            if (define is not null)
            {
                define(ai);
                return;
            }
            ai.Workflow("w", w => w.Window(TimeSpan.FromDays(1), Define.Origin).Until(Define.Day(31)).Every(settings.GetValueOrDefault("cron") ?? "0 0 29 2 *")
                .Stage<DoublePipeline>(maxAttempts: 1).Stage<TickPipeline>(maxAttempts: 1));
            ai.Workflow("by-hand", w => w.Window(TimeSpan.FromDays(1), Define.Origin).Until(Define.Day(31)).Stage<OutcomePipeline>(maxAttempts: 1));
        });
        configure?.Invoke(builder);
        _app = builder.Build();
        _app.MapAiWorkflows();
        Probe = probe;
    }

    public Probe Probe { get; }

    public string Out => _console.Out.ToString()!;

    public string Error => _console.Error.ToString()!;

    public HttpClient Http { get; private set; } = new();

    public IServiceProvider Services => _app.Services;

    public JobStorage Jobs => Services.GetRequiredService<JobStorage>();

    /// <param name="define">Defines other workflows than the usual ones.</param>
    public static ServedHost Build(
        string directory, Probe? probe = null, Dictionary<string, string?>? settings = null, Action<WebApplicationBuilder>? configure = null, Action<AiWorkflowsBuilder>? define = null) =>
        new(directory, probe ?? new(), settings ?? [], configure, define);

    public static async Task<ServedHost> StartAsync(
        string directory, Probe? probe = null, Dictionary<string, string?>? settings = null, Action<WebApplicationBuilder>? configure = null, Action<AiWorkflowsBuilder>? define = null)
    {
        var host = Build(directory, probe, settings, configure, define);
        host._serving = host._app.RunAiWorkflowsAsync(["serve"]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!host.Out.Contains("Scheduled:", StringComparison.Ordinal))
        {
            if (host._serving.IsCompleted)
                throw new InvalidOperationException($"It did not serve: exit code {await host._serving}, {host.Error}");
            await Task.Delay(10, patience.Token);
        }
        host.Http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(host._app.Urls.First().Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)) };
        return host;
    }

    /// <summary>Runs the command to its end, as a process would: the application is disposed of.</summary>
    public Task<int> RunAsync(params string[] args) => _app.RunAiWorkflowsAsync(args);

    public async Task<JsonElement> JsonAsync(HttpMethod method, string path, int status, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(status, text);
        if (status >= 400)
            response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Follows a run by the API until it has one of the states.</summary>
    public async Task<JsonElement> ReachesAsync(long run, params string[] states)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var shown = await JsonAsync(HttpMethod.Get, $"/api/runs/{run}", 200);
            if (states.Contains(shown.GetProperty("state").GetString()))
                return shown;
            if (patience.IsCancellationRequested)
                throw new TimeoutException($"Run {run} is not {string.Join(" or ", states)}: {shown}");
            await Task.Delay(20);
        }
    }

    public async Task<int> StopAsync()
    {
        _app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        return await _serving.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_serving.IsCompleted)
            await StopAsync();
        Http.Dispose();
        await _app.DisposeAsync();
    }
}
