using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using AiWorkflows.Hosting;
using AiWorkflows.Workflows;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Tests.Hosting;

public class WebhookTests
{
    [Fact]
    public async Task A_failed_run_is_told_with_everything_needed_to_look_it_up()
    {
        await using var listener = await WebhookListener.StartAsync();
        using var webhook = Webhook(listener.Url, out _);

        webhook.Notify(Ended(States.Failed), "http://localhost:5000");
        await webhook.FlushAsync();

        using var message = JsonDocument.Parse(listener.Bodies.ShouldHaveSingleItem());
        message.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ToString()).ShouldBe(new Dictionary<string, string>
        {
            ["run_id"] = "7", ["workflow"] = "flight-delays", ["state"] = "failed", ["error"] = "departures: no such file",
            ["window_from"] = "2001-06-01T00:00:00Z", ["window_to"] = "2001-06-02T00:00:00Z", ["url"] = "http://localhost:5000/hangfire/runs/7",
        }, ignoreOrder: true);
    }

    [Theory]
    [InlineData("succeeded")]
    [InlineData("cancelled")]
    public async Task Other_ends_are_nobodys_business(string state)
    {
        await using var listener = await WebhookListener.StartAsync();
        using var webhook = Webhook(listener.Url, out _);

        webhook.Notify(Ended(state), null);
        await webhook.FlushAsync();

        listener.Bodies.ShouldBeEmpty();
    }

    [Fact]
    public async Task It_tries_three_times_and_is_content_with_the_third()
    {
        await using var listener = await WebhookListener.StartAsync(HttpStatusCode.InternalServerError, HttpStatusCode.BadGateway);
        using var webhook = Webhook(listener.Url, out var log);

        webhook.Notify(Ended(States.Failed), null);
        await webhook.FlushAsync();

        listener.Bodies.Count.ShouldBe(3);
        log.Lines.ShouldBeEmpty();
    }

    [Fact]
    public async Task After_three_tries_it_says_so_in_the_log_and_harms_nobody()
    {
        await using var listener = await WebhookListener.StartAsync(HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.NotFound);
        using var webhook = Webhook(listener.Url + "?token=secret", out var log);

        webhook.Notify(Ended(States.Failed), null);
        await webhook.FlushAsync();

        listener.Bodies.Count.ShouldBe(3);
        log.Lines.ShouldHaveSingleItem().ShouldContain("was not told that run 7 has failed");
        log.Lines.Single().ShouldNotContain("secret");
    }

    [Fact]
    public async Task An_address_where_nobody_listens_is_logged()
    {
        using var webhook = Webhook("http://127.0.0.1:1/hook", out var log);

        webhook.Notify(Ended(States.Failed), null);
        await webhook.FlushAsync();

        log.Lines.ShouldHaveSingleItem().ShouldContain("127.0.0.1");
    }

    private static FailureWebhook Webhook(string url, out CollectingLogger log)
    {
        log = new();
        return new(HostSettings.Resolve(new() { Webhook = { Url = url } }, [], Path.GetTempPath(), "1"), log) { Backoff = TimeSpan.FromMilliseconds(1) };
    }

    private static RunEndedEvent Ended(string state)
    {
        var (from, to) = (new DateTime(2001, 6, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(2001, 6, 2, 0, 0, 0, DateTimeKind.Utc));
        return new(new RunRecord(7, "flight-delays", new(from, to), state, "me", "manual", RunModes.Stages, false, false, from, from, to, "1", "departures: no such file", null), []);
    }

    private sealed class CollectingLogger : ILogger<FailureWebhook>
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));
    }
}
