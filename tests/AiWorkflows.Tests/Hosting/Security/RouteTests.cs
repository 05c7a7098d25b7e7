using System.Collections;
using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Hosting.Security;

/// <summary>Every address there is, found by asking the host and the dashboard for them: one that is added is among them without anybody's doing.</summary>
public sealed partial class RouteTests(SharedSecuredHost shared) : IClassFixture<SharedSecuredHost>
{
    /// <summary>What anybody may ask for. A new line here is a decision.</summary>
    private static readonly string[] Public = ["GET /health/live", "GET /health/ready", "GET /login", "POST /login"];

    /// <summary>What a viewer may post: it changes nothing, or nothing but what predictions leave behind.</summary>
    private static readonly string[] ForViewers = ["POST /logout", "POST /hangfire/stats", "POST /api/models/{name}/predictions"];

    private static readonly string[] Reading = ["GET", "HEAD", "OPTIONS"];

    [Fact]
    public async Task Whoever_has_not_signed_in_is_refused_everywhere_and_a_viewer_wherever_something_changes()
    {
        await using var host = await SecuredHost.StartAsync(new() { ["AiWorkflows:Security:RequestsPerSecond"] = "0" });
        using var nobody = host.Client();
        using var viewer = host.Client(host.Viewer);
        var wrong = new List<string>();
        var seen = new List<string>();
        foreach (var (name, method, path, isCommand) in Routes(host).Select(r => (r.Name, r.Method, r.Path, false)).Concat(DashboardRoutesOf(DashboardRoutes.Routes)))
        {
            seen.Add(name);
            if (Public.Contains(name))
                continue;
            if (await StatusAsync(nobody, method, path) is var unknown && unknown != HttpStatusCode.Unauthorized)
                wrong.Add($"{name}: {(int)unknown} for nobody");
            var status = await StatusAsync(viewer, method, path);
            var isRight = ForViewers.Contains(name) ? status != HttpStatusCode.Unauthorized
                : !Reading.Contains(method) ? status == HttpStatusCode.Forbidden
                : status is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) || isCommand;
            if (!isRight)
                wrong.Add($"{name}: {(int)status} for a viewer");
        }

        wrong.ShouldBeEmpty();
        seen.Count.ShouldBeGreaterThan(100);
        foreach (var expected in new[] { "GET /api/runs/{id:long}", "POST /api/workflows/{name}/runs", "POST /hangfire/jobs/failed/requeue", "POST /hangfire/runs/(?<id>[0-9]{1,18})/cancel", "GET /" }.Concat(Public))
            seen.ShouldContain(expected);
        (await host.AuditAsync()).ShouldNotContain(line => line.Contains("cancel", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_an_operator_posts_to_the_dashboard_needs_the_pages_token()
    {
        await using var host = await SecuredHost.StartAsync();
        using var client = host.Client(host.Operator);
        foreach (var (name, method, path, _) in DashboardRoutesOf(DashboardRoutes.Routes).Where(r => r.Method == "POST"))
            (await StatusAsync(client, method, path)).ShouldBe(HttpStatusCode.Forbidden, name);
    }

    [Theory]
    [InlineData("GET", "/api/no-such-thing")]
    [InlineData("POST", "/hangfire/no/such/thing")]
    [InlineData("DELETE", "/api/runs/1")]
    [InlineData("GET", "/API/runs/1")]
    [InlineData("GET", "/api//runs/1")]
    [InlineData("GET", "/hangfire/../api/runs/1")]
    [InlineData("GET", "/%61pi/runs/1")]
    [InlineData("GET", "/hangfire%2fruns")]
    public async Task An_address_that_does_not_exist_or_is_spelled_otherwise_tells_nothing(string method, string path)
    {
        var host = shared.Host;
        using var nobody = host.Client();
        (await StatusAsync(nobody, method, path)).ShouldBeOneOf(HttpStatusCode.Unauthorized, HttpStatusCode.NotFound);
    }

    /// <summary>All endpoints with each of their methods.</summary>
    internal static IEnumerable<(string Name, string Method, string Path)> Routes(SecuredHost host)
    {
        foreach (var endpoint in host.Served.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            var pattern = "/" + endpoint.RoutePattern.RawText!.TrimStart('/');
            var path = Parameter().Replace(pattern, m => m.Value.Contains("long", StringComparison.Ordinal) || m.Value.Contains("int", StringComparison.Ordinal) || m.Value.Contains("version", StringComparison.Ordinal) ? "1" : m.Value.Contains('*', StringComparison.Ordinal) ? "" : "x");
            foreach (var method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods ? methods : (IReadOnlyList<string>)["GET", "POST", "PUT", "DELETE"])
                yield return ($"{method} {pattern}", method, path);
        }
    }

    /// <summary>All routes of the dashboard, Hangfire's and ours. Which of them take a POST only the dispatcher knows, so each is tried with both.</summary>
    private static IEnumerable<(string Name, string Method, string Path, bool IsCommand)> DashboardRoutesOf(Hangfire.Dashboard.RouteCollection routes)
    {
        var field = routes.GetType().GetFields(BindingFlags.NonPublic | BindingFlags.Instance).Single(f => typeof(IEnumerable).IsAssignableFrom(f.FieldType));
        foreach (var route in (IEnumerable)field.GetValue(routes)!)
        {
            var template = (string)route.GetType().GetProperty("Item1")!.GetValue(route)!;
            var path = Group().Replace(template, "1").Replace("[0-9]+", "1", StringComparison.Ordinal);
            // Hangfire's own commands refuse a viewer whatever the method.
            var isCommand = route.GetType().GetProperty("Item2")!.GetValue(route)!.GetType().Name.EndsWith("CommandDispatcher", StringComparison.Ordinal);
            foreach (var method in new[] { "GET", "POST" })
                yield return ($"{method} /hangfire{template}", method, "/hangfire" + path, isCommand);
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\(\?<[^>]+>[^)]*\)")]
    private static partial Regex Group();
}
