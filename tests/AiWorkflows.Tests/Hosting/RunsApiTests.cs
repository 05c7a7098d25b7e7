using System.Net;
using System.Text;
using AiWorkflows.Tests.Workflows;

namespace AiWorkflows.Tests.Hosting;

public sealed class RunsApiTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public RunsApiTests() => _directory.File("appsettings.json", "{}");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_run_is_requested_followed_and_the_second_time_nothing_is_owed()
    {
        await using var host = await ServedHost.StartAsync(_directory.FullName);

        var requested = await host.JsonAsync(HttpMethod.Post, "/api/workflows/by-hand/runs", 202);
        var run = await host.ReachesAsync(requested.GetProperty("run_id").GetInt64(), "succeeded");
        var again = await host.JsonAsync(HttpMethod.Post, "/api/workflows/by-hand/runs", 200);

        (run.GetProperty("workflow").GetString(), run.GetProperty("triggered_by").GetString()).ShouldBe(("by-hand", "api"));
        var stage = run.GetProperty("stages").EnumerateArray().ShouldHaveSingleItem();
        (stage.GetProperty("stage").GetString(), stage.GetProperty("state").GetString(), stage.GetProperty("rows_written").GetInt64()).ShouldBe(("outcome", "succeeded", 24));
        again.GetProperty("run_id").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
        again.GetProperty("message").GetString().ShouldStartWith("Nothing to do");
    }

    [Fact]
    public async Task A_window_and_an_idempotency_key_give_one_run_however_often_they_are_sent()
    {
        await using var host = await ServedHost.StartAsync(_directory.FullName);
        var body = new { from = "2001-01-10T00:00:00Z", to = "2001-01-12T00:00:00Z", idempotency_key = "k" };

        var first = await host.JsonAsync(HttpMethod.Post, "/api/workflows/by-hand/runs", 202, body);
        var second = await host.JsonAsync(HttpMethod.Post, "/api/workflows/by-hand/runs", 200, body);

        second.GetProperty("run_id").GetInt64().ShouldBe(first.GetProperty("run_id").GetInt64());
        first.GetProperty("window_from").GetString().ShouldBe("2001-01-10T00:00:00Z");
    }

    [Theory]
    [InlineData("/api/workflows/by-hnd/runs", "{}", 404, "did you mean by-hand?")]
    [InlineData("/api/workflows/by-hand/runs", "{\"from\":\"2001-01-01T00:00:00Z\"}", 400, "both 'from' and 'to'")]
    [InlineData("/api/workflows/by-hand/runs", "{\"from\":\"2001-01-01T05:00:00Z\",\"to\":\"2001-01-02T00:00:00Z\"}", 400, "2001-01-01")]
    [InlineData("/api/workflows/by-hand/runs", "{\"monolith\":\"both\"}", 400, "train or infer")]
    [InlineData("/api/workflows/by-hand/runs", "{\"form\":1}", 400, "form")]
    [InlineData("/api/workflows/by-hand/runs", "not json", 400, "cannot be read")]
    [InlineData("/api/runs/4711/cancel", "", 404, "There is no run 4711")]
    [InlineData("/api/runs/4711/resume", "", 404, "There is no run 4711")]
    public async Task Mistakes_are_problems_that_say_what_to_do(string path, string body, int status, string detail)
    {
        await using var host = await ServedHost.StartAsync(_directory.FullName);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        using var response = await host.Http.PostAsync(path, body.Length == 0 ? null : content, TestContext.Current.CancellationToken);

        ((int)response.StatusCode).ShouldBe(status);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Replace("\\u0027", "'").ShouldContain(detail);
    }

    [Fact]
    public async Task A_running_run_is_cancelled_within_two_seconds_and_can_be_resumed()
    {
        var probe = new Probe();
        var (begun, stopped) = (new TaskCompletionSource(), new TaskCompletionSource());
        probe.Before["outcome"] = async (_, ct) =>
        {
            begun.TrySetResult();
            using var registration = ct.Register(() => stopped.TrySetResult());
            await Task.Delay(Timeout.Infinite, ct);
        };
        await using var host = await ServedHost.StartAsync(_directory.FullName, probe);
        var run = (await host.JsonAsync(HttpMethod.Post, "/api/workflows/by-hand/runs", 202)).GetProperty("run_id").GetInt64();
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        (await host.JsonAsync(HttpMethod.Post, $"/api/runs/{run}/cancel", 200)).GetProperty("state").GetString().ShouldBe("cancelled");
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        (await host.JsonAsync(HttpMethod.Post, $"/api/runs/{run}/cancel", 409)).GetProperty("detail").GetString().ShouldBe($"Run {run} is cancelled; it cannot be cancelled.");

        probe.Before.Clear();
        await host.JsonAsync(HttpMethod.Post, $"/api/runs/{run}/resume", 200);
        await host.ReachesAsync(run, "succeeded");
        (await host.JsonAsync(HttpMethod.Post, $"/api/runs/{run}/resume", 409)).GetProperty("detail").GetString().ShouldBe($"Run {run} is succeeded; it cannot be resumed.");
    }

    [Fact]
    public async Task Another_site_may_not_act()
    {
        await using var host = await ServedHost.StartAsync(_directory.FullName);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/workflows/by-hand/runs");
        request.Headers.Add("Origin", "https://evil.example");

        using var response = await host.Http.SendAsync(request, TestContext.Current.CancellationToken);

        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }
}
