using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using AiWorkflows.Workflows;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting;

/// <summary>Tells an address about each run that fails. Whatever happens to the message, nothing happens to the run.</summary>
internal sealed class FailureWebhook(HostSettings settings, ILogger<FailureWebhook> log) : IDisposable
{
    private const int Tries = 3;
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly ConcurrentDictionary<Task, byte> _pending = [];

    /// <summary>Wait before the second try; doubled before the third.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromSeconds(2);

    /// <param name="host">Where this host serves; null where it does not.</param>
    public void Notify(RunEndedEvent ended, string? host)
    {
        if (settings.Options.Webhook.Url is not { } address || ended.Run.State != States.Failed)
            return;
        var run = ended.Run;
        var message = new Message(
            run.RunId, run.Workflow, run.State, run.Error ?? string.Join("; ", ended.FailedStages.Select(s => $"{s.Step}: {s.Error}")),
            Timestamps.Iso(run.Window.From), Timestamps.Iso(run.Window.To), host is null ? null : $"{host}/hangfire/runs/{run.RunId}");
        var sending = Task.Run(() => SendAsync(address, message));
        _pending[sending] = 0;
        _ = sending.ContinueWith(done => _pending.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Waits for messages that are being sent; bounded by tries and time-out.</summary>
    public Task FlushAsync() => Task.WhenAll(_pending.Keys);

    public void Dispose() => _http.Dispose();

    private async Task SendAsync(string address, Message message)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var response = await _http.PostAsJsonAsync(address, message, Json);
                response.EnsureSuccessStatusCode();
                return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or InvalidOperationException)
            {
                var reason = e is TaskCanceledException ? $"no answer within {_http.Timeout.TotalSeconds:0} s" : e.Message;
                if (attempt >= Tries)
                {
                    // The address may hold a secret, so only its host is named.
                    log.LogWarning("The webhook at {Host} was not told that run {Run} has failed: {Reason}", new Uri(address).Host, message.RunId, reason);
                    return;
                }
                await Task.Delay(Backoff * attempt);
            }
        }
    }

    private sealed record Message(long RunId, string Workflow, string State, string Error, string WindowFrom, string WindowTo, string? Url);
}
