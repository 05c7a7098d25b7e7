using System.Net;
using System.Text;
using System.Text.Json;
using AiWorkflows.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Hosting.Security;

/// <summary>What goes wrong is told in problem+json, with the field; how much is asked for is limited; browsers are told what they may do.</summary>
public sealed class ErrorTests(SharedSecuredHost shared) : IClassFixture<SharedSecuredHost>
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/api/nothing", null, null, 404, "There is nothing at this address", null)]
    [InlineData("DELETE", "/api/runs/1", null, null, 405, "does not take DELETE; it takes GET", null)]
    [InlineData("POST", "/api/runs/abc/cancel", null, null, 404, null, null)]
    [InlineData("POST", "/api/workflows/by-hand/runs", "text/plain", "{}", 415, null, null)]
    [InlineData("POST", "/api/workflows/by-hand/runs", "application/json", "{\"form\":\"2001-01-01\"}", 400, "did you mean from", "$.form")]
    [InlineData("POST", "/api/workflows/by-hand/runs", "application/json", "{\"from\":17}", 400, "it takes a time in UTC such as 2001-06-01T06:00:00Z", "$.from")]
    [InlineData("POST", "/api/workflows/by-hand/runs", "application/json", "{\"from\":\"2001-01-01T00:00:00\"}", 400, "it takes a time in UTC", "$.from")]
    [InlineData("POST", "/api/workflows/by-hand/runs", "application/json", "{\"hindsight\":\"yes\"}", 400, "true or false", "$.hindsight")]
    [InlineData("POST", "/api/workflows/by-hand/runs", "application/json", "{\"monolith\":\"x\"}", 400, "train or infer", "$.monolith")]
    [InlineData("POST", "/api/workflows/by-hand/runs", "application/json", "{\"from\":\"2001-01-01T00:00:00Z\"}", 400, "both 'from' and 'to'", "$.to")]
    [InlineData("POST", "/api/workflows/by-hand/runs", "application/json", "[1]", 400, "it takes an object", "$")]
    [InlineData("POST", "/api/workflows/by-hand/runs", "application/json", "{", 400, "cannot be read as JSON (line 1", null)]
    [InlineData("POST", "/api/workflows/by-hand/runs", "application/json", "{\"a\":NaN}", 400, "cannot be read as JSON", null)]
    [InlineData("POST", "/api/workflows/by-hand/runs", "application/json", "{\"monolith\":\"a\",\"monolith\":\"b\"}", 400, "monolith", null)]
    [InlineData("POST", "/api/workflows/by-hand/runs", "application/json", "{\"idempotency_key\":\"\\ud800\"}", 400, "half a character", null)]
    [InlineData("POST", "/api/workflows/nobody/runs", "application/json", "{}", 404, "Unknown workflow 'nobody'", null)]
    [InlineData("GET", "/api/runs?limt=3", null, null, 400, "did you mean limit", "limt")]
    [InlineData("GET", "/api/runs?limit=many", null, null, 400, "whole number from 1 to 500", "limit")]
    [InlineData("GET", "/api/runs?limit=1&limit=2", null, null, 400, "more than once", "limit")]
    [InlineData("GET", "/api/runs?state=runing", null, null, 400, "did you mean running", "state")]
    [InlineData("GET", "/api/workflows/by-hnd", null, null, 404, "did you mean by-hand", null)]
    [InlineData("GET", "/api/views/x/features", null, null, 404, "Unknown view", null)]
    public async Task A_mistake_is_a_problem_that_names_the_field(string method, string path, string? type, string? body, int status, string? detail, string? field)
    {
        var host = shared.Host;
        using var client = host.Client(host.Operator);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, type!);
        using var response = await client.SendAsync(request, Ct);

        var text = await response.Content.ReadAsStringAsync(Ct);
        ((int)response.StatusCode).ShouldBe(status, text);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json", text);
        var problem = JsonDocument.Parse(text).RootElement;
        problem.GetProperty("status").GetInt32().ShouldBe(status);
        if (detail is not null)
            problem.GetProperty("detail").GetString()!.ShouldContain(detail);
        (problem.TryGetProperty("field", out var named) ? named.GetString() : null).ShouldBe(field);
    }

    [Fact]
    public async Task Too_large_a_body_and_too_deep_a_one_are_refused()
    {
        await using var host = await SecuredHost.StartAsync(new() { ["AiWorkflows:Security:MaxBodyBytes"] = "2048" });
        using var client = host.Client(host.Operator);
        foreach (var chunked in new[] { false, true })
        {
            using var large = new HttpRequestMessage(HttpMethod.Post, "/api/workflows/by-hand/runs") { Content = new StringContent("{\"monolith\":\"" + new string('x', 5000) + "\"}", Encoding.UTF8, "application/json") };
            large.Headers.TransferEncodingChunked = chunked;
            using var refused = await client.SendAsync(large, Ct);
            refused.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
            refused.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        }
        using var deep = new StringContent(new string('[', 100) + new string(']', 100), Encoding.UTF8, "application/json");
        using var response = await client.PostAsync("/api/workflows/by-hand/runs", deep, Ct);
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync(Ct)).ShouldContain("depth");
    }

    [Fact]
    public async Task Who_asks_too_often_is_told_when_to_come_again_and_others_are_not_kept_waiting()
    {
        await using var host = await SecuredHost.StartAsync(new() { ["AiWorkflows:Security:RequestsPerSecond"] = "5" });
        using var client = host.Client(host.Viewer);
        var responses = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => client.GetAsync("/api/runs", Ct)));

        responses.Count(r => r.StatusCode == HttpStatusCode.OK).ShouldBeInRange(10, 20);
        var refused = responses.First(r => r.StatusCode == HttpStatusCode.TooManyRequests);
        refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeGreaterThanOrEqualTo(1);
        refused.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        using var other = host.Client(host.Operator);
        (await other.GetAsync("/api/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("/api/runs")]
    [InlineData("/api/nothing")]
    [InlineData("/hangfire/runs")]
    [InlineData("/hangfire/recurring")]
    [InlineData("/health/live")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/api/reference/")]
    [InlineData("/login")]
    public async Task Every_answer_tells_browsers_what_they_may_do_and_not_who_answers(string path)
    {
        var host = shared.Host;
        using var client = host.Client(host.Viewer);
        using var response = await client.GetAsync(path, Ct);

        string Header(string name) => response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : "";
        Header("X-Content-Type-Options").ShouldBe("nosniff");
        Header("Referrer-Policy").ShouldBe("same-origin");
        Header("X-Frame-Options").ShouldBe("DENY");
        var policy = Header("Content-Security-Policy");
        policy.ShouldStartWith("default-src 'none'");
        policy.ShouldContain("frame-ancestors 'none'");
        policy.ShouldNotContain("script-src 'self' 'unsafe-inline'");
        policy.ShouldNotContain("unsafe-eval");
        Header("Server").ShouldBe("");
        Header("Strict-Transport-Security").ShouldBe("");
    }

    [Theory]
    [InlineData("GET", "/api/runs", null, null, 401)]
    [InlineData("GET", "/hangfire/runs", null, null, 401)]
    [InlineData("POST", "/api/workflows/by-hand/runs", "viewer", "{}", 403)]
    [InlineData("POST", "/hangfire/jobs/failed/requeue", "viewer", "{}", 403)]
    [InlineData("DELETE", "/api/runs/1", "operator", null, 405)]
    [InlineData("GET", "/api/nothing", "viewer", null, 404)]
    [InlineData("GET", "/hangfire/nothing", "viewer", null, 404)]
    [InlineData("POST", "/api/workflows/by-hand/runs", "operator", "{", 400)]
    [InlineData("POST", "/api/workflows/by-hand/runs", "operator", "huge", 413)]
    [InlineData("POST", "/login", null, "{}", 415)]
    public async Task Refusals_carry_the_same_headers_as_answers(string method, string path, string? role, string? body, int status)
    {
        var host = shared.Host;
        using var client = host.Client(role switch { "viewer" => host.Viewer, "operator" => host.Operator, _ => null });
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new StringContent(body == "huge" ? new string(' ', 5 * 1024 * 1024) : body, Encoding.UTF8, "application/json");
        request.Headers.ExpectContinue = body == "huge";
        using var response = await client.SendAsync(request, Ct);
        ((int)response.StatusCode).ShouldBe(status, await response.Content.ReadAsStringAsync(Ct));
        foreach (var (name, value) in new[] { ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin") })
            response.Headers.GetValues(name).ShouldBe([value]);
        response.Headers.GetValues("Content-Security-Policy").Single().ShouldStartWith("default-src 'none'");
        response.Headers.Contains("Server").ShouldBeFalse();
        response.Headers.Contains("X-Powered-By").ShouldBeFalse();
    }

    [Fact]
    public async Task Another_site_may_not_act_even_with_a_session()
    {
        var host = shared.Host;
        using var client = host.Client(host.Operator);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/workflows/by-hand/runs");
        request.Headers.Add("Origin", "https://evil.example");
        using var response = await client.SendAsync(request, Ct);
        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await response.Content.ReadAsStringAsync(Ct)).ShouldContain("Another site may not act here.");
    }

    [Fact]
    public async Task A_store_that_is_away_is_503_with_neither_stack_trace_nor_path()
    {
        await using var host = await SecuredHost.StartAsync();
        using var client = host.Client(host.Operator);
        await host.Served.Services.GetRequiredService<StoreDatabase>().WriteAsync(tx => tx.ExecuteAsync("ALTER TABLE {workflows.runs} RENAME COLUMN mode TO mode_gone"), Ct);
        using var response = await client.GetAsync("/api/runs", Ct);
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        response.Headers.RetryAfter.ShouldNotBeNull();
        var text = await response.Content.ReadAsStringAsync(Ct);
        text.ShouldContain("The store does not answer");
        text.ShouldNotContain("mode");
        text.ShouldNotContain(" at AiWorkflows");
    }

    [Fact]
    public async Task The_document_describes_every_address_of_the_api_in_the_names_that_it_uses()
    {
        var host = shared.Host;
        using var client = host.Client(host.Viewer);
        var text = await client.GetStringAsync("/openapi/v1.json", Ct);
        var document = JsonDocument.Parse(text).RootElement;

        var paths = document.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Select(m => $"{m.Name.ToUpperInvariant()} {p.Name}")).ToHashSet();
        var routes = RouteTests.Routes(host).Where(r => r.Name.Contains(" /api/", StringComparison.Ordinal) && !r.Name.Contains("/api/reference", StringComparison.Ordinal)).Select(r => System.Text.RegularExpressions.Regex.Replace(r.Name, ":[a-z]+", ""));
        routes.Where(r => !paths.Contains(r)).ShouldBeEmpty();
        text.ShouldContain("\"window_from\"");
        text.ShouldNotContain("windowFrom");
        text.ShouldContain("\"idempotency_key\"");
        document.GetProperty("components").GetProperty("securitySchemes").EnumerateObject().Count().ShouldBe(2);
        var request = document.GetProperty("paths").GetProperty("/api/workflows/{name}/runs").GetProperty("post");
        request.GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("example").GetProperty("from").GetString().ShouldBe("2001-01-01T00:00:00Z");
        document.GetProperty("paths").GetProperty("/api/models/{name}/predictions").GetProperty("post").GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("example").GetProperty("instances").GetArrayLength().ShouldBe(1);
        request.GetProperty("security").GetArrayLength().ShouldBe(2);
        document.GetProperty("paths").GetProperty("/health/live").GetProperty("get").TryGetProperty("security", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Runs_are_listed_page_by_page_and_workflows_with_what_they_owe()
    {
        await using var host = await SecuredHost.StartAsync();
        using var client = host.Client(host.Operator);
        foreach (var day in new[] { 10, 11, 12 })
            (await client.PostAsync("/api/workflows/by-hand/runs", new StringContent($"{{\"from\":\"2001-01-{day}T00:00:00Z\",\"to\":\"2001-01-{day + 1}T00:00:00Z\"}}", Encoding.UTF8, "application/json"), Ct)).StatusCode.ShouldBe(HttpStatusCode.Accepted);

        var ids = new List<long>();
        for (string? next = "/api/runs?workflow=by-hand&limit=2"; next is not null;)
        {
            var page = JsonDocument.Parse(await client.GetStringAsync(next, Ct)).RootElement;
            ids.AddRange(page.GetProperty("runs").EnumerateArray().Select(r => r.GetProperty("run_id").GetInt64()));
            next = page.GetProperty("next_before") is { ValueKind: JsonValueKind.Number } before ? $"/api/runs?workflow=by-hand&limit=2&before={before}" : null;
        }
        ids.Count.ShouldBe(3);
        ids.ShouldBe(ids.OrderDescending());
        var workflow = JsonDocument.Parse(await client.GetStringAsync("/api/workflows/by-hand", Ct)).RootElement;
        workflow.GetProperty("workflow").GetProperty("workflow").GetString().ShouldBe("by-hand");
        workflow.GetProperty("stages").EnumerateArray().ShouldHaveSingleItem().GetProperty("stage").GetString().ShouldBe("outcome");
        JsonDocument.Parse(await client.GetStringAsync("/api/workflows", Ct)).RootElement.GetProperty("workflows").GetArrayLength().ShouldBe(2);
    }
}
