using System.Net;
using System.Text.RegularExpressions;

namespace AiWorkflows.Tests.Faults;

/// <summary>A browser on the dashboard of a host: what is posted carries the token of a page.</summary>
internal sealed class DashboardPages(string url) : IDisposable
{
    private readonly HttpClient _client = new(new HttpClientHandler { CookieContainer = new CookieContainer(), AllowAutoRedirect = false }) { BaseAddress = new Uri(url) };
    private (string Header, string Token)? _token;

    /// <summary>The address of a host that serves.</summary>
    public static async Task<DashboardPages> OfAsync(FaultProcess host, FaultSite site)
    {
        await host.UntilAsync(site, $"SELECT COUNT(*) FROM {{workflows.hosts}} WHERE process_id = {host.Id} AND url IS NOT NULL");
        return new((await site.ReadAsync(db => db.ReadFirstAsync<string>("SELECT url FROM {workflows.hosts} WHERE process_id = @Id", new { host.Id }, default)))!);
    }

    public async Task<HttpStatusCode> PostAsync(string action)
    {
        var (header, token) = _token ??= await TokenAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/hangfire" + action);
        request.Headers.Add(header, token);
        using var answer = await _client.SendAsync(request);
        return answer.StatusCode;
    }

    /// <summary>As a page of somebody else would.</summary>
    public async Task<HttpStatusCode> PostWithoutTokenAsync(string action)
    {
        using var stranger = new HttpClient { BaseAddress = _client.BaseAddress };
        using var answer = await stranger.PostAsync(new Uri("/hangfire" + action, UriKind.Relative), null);
        return answer.StatusCode;
    }

    public void Dispose() => _client.Dispose();

    private async Task<(string, string)> TokenAsync()
    {
        var html = await _client.GetStringAsync("/hangfire/jobs/processing");
        return (Meta(html, "csrf-header"), Meta(html, "csrf-token"));
    }

    private static string Meta(string html, string name) => Regex.Match(html, $"<meta name=\"{name}\" content=\"([^\"]+)\"").Groups[1].Value;
}
