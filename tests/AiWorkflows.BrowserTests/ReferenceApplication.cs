using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AiWorkflows.Hosting.Security;
using AiWorkflows.Tests.Flights;

namespace AiWorkflows.BrowserTests;

/// <summary>
/// The reference application after <c>run flight-delays</c>, serving, with a key for a viewer (vera) and one for an operator (otto). AIWORKFLOWS_TEST_STORE may
/// name the data directory of such a run, of which a copy is taken; else the run is made here, for half a minute of both cores.
/// </summary>
internal sealed partial class ReferenceApplication : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("aiworkflows-walk-").FullName;
    private readonly HttpClient _http = new();
    private Process? _server;

    public string Viewer { get; } = ApiKey.Create().Key;

    public string Operator { get; } = ApiKey.Create().Key;

    /// <summary>Without a slash at its end.</summary>
    public string Url { get; private set; } = "";

    public static async Task<ReferenceApplication> StartAsync()
    {
        var application = new ReferenceApplication();
        await application.PrepareAsync();
        await application.ServeAsync();
        return application;
    }

    /// <summary>Asks the model about a flight as a client does.</summary>
    /// <returns>The id of the prediction.</returns>
    public async Task<long> PredictAsync()
    {
        var example = JsonNode.Parse(await _http.GetStringAsync(Url + "/api/models/flight-delay"))!["example"]!.ToJsonString();
        return (await PostAsync("/api/models/flight-delay/predictions", example))["predictions"]![0]!["prediction_id"]!.GetValue<long>();
    }

    public async Task<JsonNode> PostAsync(string path, string json)
    {
        using var body = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(Url + path, body);
        var answer = await response.Content.ReadAsStringAsync();
        response.IsSuccessStatusCode.ShouldBeTrue(answer);
        return JsonNode.Parse(answer)!;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            _server.Kill(entireProcessTree: true);
            await _server.WaitForExitAsync();
            _server.Dispose();
        }
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task PrepareAsync()
    {
        var data = Directory.CreateDirectory(Path.Combine(_folder, "data")).FullName;
        if (Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_STORE") is { Length: > 0 } earlier)
        {
            foreach (var file in Directory.EnumerateFiles(earlier, "*", SearchOption.AllDirectories))
            {
                var copy = Path.Combine(data, Path.GetRelativePath(earlier, file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
            return;
        }
        var run = await FlightDelaysProcess.RunAsync(_folder, "run", "flight-delays");
        run.ExitCode.ShouldBe(0, run.Output + run.Error);
    }

    private async Task ServeAsync()
    {
        var settings = new Dictionary<string, string>
        {
            ["Security__ApiKeys__vera__Hash"] = ApiKey.HashOf(Viewer), ["Security__ApiKeys__vera__Role"] = "viewer",
            ["Security__ApiKeys__otto__Hash"] = ApiKey.HashOf(Operator), ["Security__ApiKeys__otto__Role"] = "operator",
        };
        _server = FlightDelaysProcess.Start(_folder, settings, "serve", "--urls", "http://127.0.0.1:0");
        // Pipes that nobody empties would stop it.
        _ = _server.StandardError.ReadToEndAsync();
        var said = new StringBuilder();
        while (await _server.StandardOutput.ReadLineAsync() is { } line)
        {
            said.AppendLine(line);
            if (Address().Match(line) is not { Success: true } address)
                continue;
            Url = address.Value;
            _ = _server.StandardOutput.ReadToEndAsync();
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Operator);
            return;
        }
        throw new InvalidOperationException($"It did not serve: {said}");
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Address();
}
