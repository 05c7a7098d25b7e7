using System.Net;
using System.Text.RegularExpressions;

namespace AiWorkflows.Tests.Dashboard;

/// <summary>Does what the script of a page does: sends the page's token with the post.</summary>
internal sealed class Viewer(string url) : IDisposable
{
    private readonly HttpClient _client = new(new HttpClientHandler { CookieContainer = new CookieContainer() });

    public Task<string> GetAsync(string path) => _client.GetStringAsync(url + "/hangfire" + path);

    public async Task<(HttpStatusCode Status, string Message)> PostAsync(string page, string action, params (string Name, string Value)[] fields)
    {
        var html = await GetAsync(page);
        using var request = new HttpRequestMessage(HttpMethod.Post, url + "/hangfire" + action);
        request.Headers.Add(Meta(html, "csrf-header"), Meta(html, "csrf-token"));
        if (fields.Length > 0)
            request.Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        var answer = await _client.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public void Dispose() => _client.Dispose();

    private static string Meta(string html, string name) => Regex.Match(html, $"<meta name=\"{name}\" content=\"([^\"]+)\"").Groups[1].Value;
}
