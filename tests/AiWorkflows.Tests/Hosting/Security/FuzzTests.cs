using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Routing;

namespace AiWorkflows.Tests.Hosting.Security;

/// <summary>
/// Malformed and mutated requests to every address that takes a body, found by asking the host: none is answered with an error of ours, each refusal is
/// problem+json, and the host lives on. A minute for each address with AIWORKFLOWS_TEST_LONG=1, else a moment.
/// </summary>
public sealed class FuzzTests
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1";

    private static readonly string[] Seeds =
    [
        """{"from":"2001-06-01T00:00:00Z","to":"2001-06-02T00:00:00Z","monolith":"train","hindsight":false,"idempotency_key":"k"}""",
        """{"instances":[{"id":17,"origin":"JFK","at":"2001-06-01T06:00:00Z","value":1.5},{"id":18}],"request_id":"r","version":1}""",
        """{"inputs":[{"name":"id","shape":[2],"datatype":"INT64","data":[1,2]}],"id":"x","parameters":{"a":true}}""",
        "{}", "[]", "null", "true", "1e400", "\"\\ud800\"", "{\"\":{}}", "{\"a\":1,\"a\":2}",
    ];

    private static readonly string[] Values =
    [
        "null", "true", "-1", "0", "1e309", "-1e-400", "9223372036854775808", "99999999999999999999999999", "\"\"", "\"\\u0000\"", "\"\\ud83d\"", "\"2001-02-30\"", "\"0001-01-01T00:00:00Z\"",
        "\"9999-12-31T23:59:59.9999999Z\"", "\"'; DROP TABLE runs; --\"", "\"../../etc/passwd\"", "[]", "[[]]", "{}", "{\"$type\":\"System.IO.FileInfo\"}", "NaN", "Infinity", "\"\u202e\"", "\"\uffff\"",
    ];

    private static readonly string[] Types = ["application/json", "application/json; charset=utf-8", "application/json; charset=utf-16", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/problem+json", "a/b", "application/json;;;"];

    private static readonly string[] Segments = ["w", "x", "1", "-1", "0", "9223372036854775807", "99999999999999999999", "%00", "%0d%0aX:y", "..%2f..", "%f0%9f%92%a9", "%ff%fe", "'", "a b", "%25", "null", new string('a', 3000)];

    [Fact]
    public async Task No_request_however_malformed_finds_an_error_of_ours()
    {
        await using var host = await SecuredHost.StartAsync(new() { ["AiWorkflows:Security:RequestsPerSecond"] = "0", ["AiWorkflows:Security:MaxBodyBytes"] = "65536" });
        using var client = host.Client(host.Operator, cookies: true);
        var routes = RouteTests.Routes(host).Where(r => r.Method is "POST" or "PUT" or "PATCH" && !r.Name.Contains("/hangfire", StringComparison.Ordinal)).ToList();
        routes.Add(("POST /hangfire/workflows/{name}/run", "POST", "/hangfire/workflows/x/run"));

        (await RunAsync(client, routes, "by-hand", [])).ShouldBeGreaterThan(routes.Count * 5);

        using var probe = host.Client(host.Viewer);
        (await probe.GetAsync("/api/runs", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await probe.GetAsync("/health/ready", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>Sends requests to each address for its time; fails with those that found an error of ours.</summary>
    /// <param name="name">A name that the addresses know: of a workflow, a model.</param>
    /// <param name="seeds">Bodies that are right there, to begin with.</param>
    /// <returns>How many were sent.</returns>
    internal static async Task<int> RunAsync(HttpClient client, IReadOnlyList<(string Name, string Method, string Path)> routes, string name, string[] seeds)
    {
        client.Timeout = TimeSpan.FromSeconds(30);
        var seed = Environment.TickCount;
        var random = new Random(seed);
        string[] segments = [name, name, .. Segments], bodies = [.. seeds, .. seeds, .. Seeds];
        var total = Stopwatch.StartNew();
        var (sent, statuses, wrong) = (0, new SortedDictionary<int, int>(), new List<string>());
        foreach (var (route, method, path) in routes)
            for (var watch = Stopwatch.StartNew(); watch.Elapsed < TimeSpan.FromSeconds(IsLong ? 60 : 3.0 / routes.Count) && wrong.Count < 20;)
            {
                var body = Body(random, bodies);
                var address = Address(random, route, path, segments);
                using var request = new HttpRequestMessage(new HttpMethod(method), address) { Content = new ByteArrayContent(body) };
                if (random.Next(10) > 0)
                    request.Content.Headers.TryAddWithoutValidation("Content-Type", random.Next(3) > 0 ? Types[0] : Types[random.Next(Types.Length)]);
                request.Headers.TransferEncodingChunked = random.Next(4) == 0;
                foreach (var header in new[] { "Origin", "Accept", "X-Api-Key", "Cookie", "If-None-Match", "X-Forwarded-For", "Content-Encoding" })
                    if (random.Next(40) == 0)
                        request.Headers.TryAddWithoutValidation(header, Segments[random.Next(Segments.Length - 1)]);
                var (status, text, type) = await SendAsync(client, request);
                sent++;
                statuses[status] = statuses.GetValueOrDefault(status) + 1;
                if (status >= 500 || text.Contains("   at ", StringComparison.Ordinal) || (status >= 400 && route.Contains("/api/", StringComparison.Ordinal) && address.StartsWith("/api/", StringComparison.Ordinal) && type != "application/problem+json" && text.Length > 0))
                    wrong.Add($"{route} {address} ({request.Content.Headers.ContentType}): {status} {type} {text} for {Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 300)))}");
            }
        wrong.ShouldBeEmpty($"seed {seed}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{sent} requests to {routes.Count} addresses in {total.Elapsed.TotalSeconds:0} s: {string.Join(", ", statuses.Select(s => $"{s.Key} x {s.Value}"))}");
        return sent;
    }

    private static async Task<(int Status, string Text, string? Type)> SendAsync(HttpClient client, HttpRequestMessage request)
    {
        try
        {
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), response.Content.Headers.ContentType?.MediaType);
        }
        catch (Exception e) when (e is HttpRequestException or InvalidOperationException or FormatException)
        {
            // A connection that the host closes before it has read a body that is too large; or a request that the client itself does not send.
            return (0, "", null);
        }
    }

    private static string Address(Random random, string name, string path, string[] segments)
    {
        var pattern = name[(name.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        var address = random.Next(3) == 0 ? path : System.Text.RegularExpressions.Regex.Replace(pattern, @"\{[^}]*\}", _ => segments[random.Next(segments.Length)]);
        if (random.Next(5) == 0)
            address += "?" + string.Join('&', Enumerable.Range(0, random.Next(1, 4)).Select(_ => $"{new[] { "version", "alias", "limit", "x", "" }[random.Next(5)]}={Segments[random.Next(Segments.Length - 1)]}"));
        return address;
    }

    private static byte[] Body(Random random, string[] seeds)
    {
        var text = seeds[random.Next(seeds.Length)];
        switch (random.Next(9))
        {
            case 0:
                return Encoding.UTF8.GetBytes(text);
            case 1:
                // Another value in the place of one of the seed's.
                var colon = text.IndexOf(':', random.Next(text.Length));
                return Encoding.UTF8.GetBytes(colon < 0 ? Values[random.Next(Values.Length)] : text[..(colon + 1)] + Values[random.Next(Values.Length)] + text[Math.Min(text.Length, colon + random.Next(1, 12))..]);
            case 2:
                return Encoding.UTF8.GetBytes(text[..random.Next(text.Length + 1)]);
            case 3:
                var mutated = Encoding.UTF8.GetBytes(text);
                for (var i = random.Next(1, 6); i > 0 && mutated.Length > 0; i--)
                    mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
                return mutated;
            case 4:
                var noise = new byte[random.Next(200)];
                random.NextBytes(noise);
                return noise;
            case 5:
                var depth = random.Next(1, 4000);
                return Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(random.Next(2) == 0 ? "[" : "{\"a\":", depth)) + "1");
            case 6:
                return Encoding.UTF8.GetBytes("{\"instances\":[" + string.Join(',', Enumerable.Repeat("{\"id\":1}", random.Next(1, 4000))) + "]}");
            case 7:
                return Encoding.UTF8.GetBytes($"{{\"{new[] { "from", "to", "monolith", "hindsight", "idempotency_key", "instances", "version", "request_id" }[random.Next(8)]}\":{Values[random.Next(Values.Length)]}}}");
            default:
                return new byte[random.Next(70_000)];
        }
    }
}
