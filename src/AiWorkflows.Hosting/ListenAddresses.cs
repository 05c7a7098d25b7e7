using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace AiWorkflows.Hosting;

/// <summary>Where a host listens: on loopback, unless it is told otherwise.</summary>
internal static class ListenAddresses
{
    /// <summary>Applies the option where ASP.NET Core itself has been told nothing.</summary>
    public static void Apply(WebApplication app, AiWorkflowsOptions options)
    {
        var configuration = app.Configuration;
        if (app.Urls.Count > 0 || Given(configuration, "urls") || Given(configuration, "http_ports") || Given(configuration, "https_ports")
            || configuration.GetSection("Kestrel:Endpoints").GetChildren().Any())
            return;
        foreach (var url in Split(options.Urls))
            app.Urls.Add(url);
    }

    /// <summary>The first address that other machines can reach; null where there is none.</summary>
    public static string? Exposed(WebApplication app)
    {
        var configuration = app.Configuration;
        var urls = app.Urls.Concat(Split(configuration["urls"])).Concat(configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(e => e["Url"] ?? ""));
        if (app.Urls.Count == 0 && !Given(configuration, "urls"))
            urls = urls.Concat(Split(configuration["http_ports"]).Concat(Split(configuration["https_ports"])).Select(port => $"http://*:{port}"));
        return urls.FirstOrDefault(url => url.Length > 0 && !IsLoopback(url));
    }

    public static bool IsLoopback(string url)
    {
        // Wildcards (*, +) are no host names to Uri; a pipe or a socket file is not on the network.
        if (url.Contains("://unix:", StringComparison.OrdinalIgnoreCase) || url.Contains("://pipe:", StringComparison.OrdinalIgnoreCase))
            return true;
        return Uri.TryCreate(url, UriKind.Absolute, out var uri) && IsLoopbackHost(uri.Host);
    }

    public static bool IsLoopbackHost(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static bool Given(IConfiguration configuration, string key) => !string.IsNullOrWhiteSpace(configuration[key]);

    private static string[] Split(string? urls) => (urls ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
