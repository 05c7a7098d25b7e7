using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Tests.Hosting;

/// <summary>Keeps what it is told, and answers with the given codes, then with 200.</summary>
internal sealed class WebhookListener(WebApplication app) : IAsyncDisposable
{
    public ConcurrentQueue<string> Bodies { get; } = [];

    public string Url => app.Urls.Single() + "/hook";

    public static async Task<WebhookListener> StartAsync(params HttpStatusCode[] answers)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var listener = new WebhookListener(app);
        var codes = new ConcurrentQueue<HttpStatusCode>(answers);
        app.MapPost("/hook", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            listener.Bodies.Enqueue(await reader.ReadToEndAsync());
            return Results.StatusCode((int)(codes.TryDequeue(out var code) ? code : HttpStatusCode.OK));
        });
        await app.StartAsync();
        return listener;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
