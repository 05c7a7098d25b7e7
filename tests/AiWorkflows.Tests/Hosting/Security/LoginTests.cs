using System.Net;
using System.Text.RegularExpressions;
using AiWorkflows.Hosting.Security;
using AiWorkflows.Tests.Workflows;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Tests.Hosting.Security;

public sealed partial class LoginTests(SharedSecuredHost shared) : IClassFixture<SharedSecuredHost>
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_browser_is_led_to_the_page_signs_in_with_a_key_and_comes_back_to_where_it_was()
    {
        await using var host = await SecuredHost.StartAsync();
        using var browser = host.Client(cookies: true);
        browser.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        using var refused = await browser.GetAsync("/hangfire/runs?workflow=w", Ct);
        refused.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        refused.Headers.Location!.OriginalString.ShouldBe("/login?returnUrl=%2Fhangfire%2Fruns%3Fworkflow%3Dw");

        using var signedIn = await SignInAsync(browser, host.Viewer, "/hangfire/runs?workflow=w");

        signedIn.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        signedIn.Headers.Location!.OriginalString.ShouldBe("/hangfire/runs?workflow=w");
        var cookie = signedIn.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("aiworkflows.session=", StringComparison.Ordinal));
        cookie.ShouldContain("httponly");
        cookie.ShouldContain("samesite=strict");
        cookie.ShouldNotContain(host.Viewer[15..]);
        var page = await browser.GetStringAsync("/hangfire/runs/1", Ct);
        page.ShouldContain("vera");
        page.ShouldNotContain("/runs/1/cancel");
        (await host.AuditAsync()).ShouldContain("vera login key vera 127.0.0.1");
    }

    [Fact]
    public async Task A_wrong_key_stays_on_the_page_is_recorded_and_a_post_without_the_pages_token_does_nothing()
    {
        await using var host = await SecuredHost.StartAsync();
        using var browser = host.Client(cookies: true);
        using var wrong = await SignInAsync(browser, "awk_guess", "");
        wrong.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var text = await wrong.Content.ReadAsStringAsync(Ct);
        text.ShouldContain("This key is unknown");
        text.ShouldNotContain("awk_guess");
        (await host.AuditAsync()).ShouldContain("unknown login-failed login page 127.0.0.1");

        using var form = new FormUrlEncodedContent([new("key", host.Viewer)]);
        using var forged = await browser.PostAsync("/login", form, Ct);
        forged.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        forged.Headers.TryGetValues("Set-Cookie", out var cookies);
        (cookies ?? []).ShouldNotContain(c => c.StartsWith("aiworkflows.session", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/ok\r\nX: y")]
    public async Task Signing_in_leads_to_no_other_site(string returnUrl)
    {
        var host = shared.Host;
        using var browser = host.Client(cookies: true);
        using var response = await SignInAsync(browser, host.Viewer, returnUrl);
        response.Headers.Location!.OriginalString.ShouldBe("/hangfire");
    }

    [Fact]
    public async Task A_session_survives_a_restart_and_ends_with_its_key()
    {
        using var directory = new TempDirectory();
        directory.File("appsettings.json", "{}");
        var settings = new Dictionary<string, string?>();
        var (id, key) = ApiKey.Create();
        var cookies = new CookieContainer();
        await using (var first = await ServedHost.StartAsync(directory.FullName, settings: settings))
        {
            await AddAsync(first, id, key);
            settings["AiWorkflows:Urls"] = first.Http.BaseAddress!.ToString();
            using var browser = Browser(first, cookies);
            await BecomesAsync(browser, HttpStatusCode.Unauthorized);
            (await SignInAsync(browser, key, "")).StatusCode.ShouldBe(HttpStatusCode.Redirect);
            (await browser.GetAsync("/hangfire/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        }
        await using var second = await ServedHost.StartAsync(directory.FullName, settings: settings);
        using var again = Browser(second, cookies);
        (await again.GetAsync("/hangfire/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);

        await using (var other = ServedHost.Build(directory.FullName))
            (await other.RunAsync("keys", "revoke", "ada")).ShouldBe(0);

        await BecomesAsync(again, HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_in_the_browser_and_takes_the_pages_token()
    {
        await using var host = await SecuredHost.StartAsync();
        using var browser = host.Client(cookies: true);
        await SignInAsync(browser, host.Operator, "");
        var html = await browser.GetStringAsync("/hangfire/workflows", Ct);
        html.ShouldContain("Sign out");
        (await browser.PostAsync("/logout", null, Ct)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);

        using var request = new HttpRequestMessage(HttpMethod.Post, "/logout");
        request.Headers.Add(Meta(html, "csrf-header"), Meta(html, "csrf-token"));
        (await browser.SendAsync(request, Ct)).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        (await browser.GetAsync("/hangfire/workflows", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await host.AuditAsync()).ShouldContain("otto logout session of otto 127.0.0.1");
    }

    [Fact]
    public async Task What_a_person_does_in_the_dashboard_is_recorded_in_his_name_with_his_address()
    {
        var probe = new Probe();
        probe.Before["outcome"] = (_, _) => throw new InvalidOperationException("the source was away");
        await using var host = await SecuredHost.StartAsync(probe: probe);
        using var browser = host.Client(cookies: true);
        await SignInAsync(browser, host.Operator, "");
        var html = await browser.GetStringAsync("/hangfire/workflows", Ct);
        async Task<HttpStatusCode> PostAsync(string path, params KeyValuePair<string, string>[] form)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(form) };
            request.Headers.Add(Meta(html, "csrf-header"), Meta(html, "csrf-token"));
            return (await browser.SendAsync(request, Ct)).StatusCode;
        }

        (await PostAsync("/hangfire/workflows/by-hand/run")).ShouldBe(HttpStatusCode.NoContent);
        (await PostAsync("/hangfire/recurring/trigger", new KeyValuePair<string, string>("jobs[]", "w"))).ShouldBe(HttpStatusCode.NoContent);
        (await PostAsync("/hangfire/jobs/failed/requeue", new KeyValuePair<string, string>("jobs[]", "4711"))).ShouldBe(HttpStatusCode.NoContent);

        var audit = await host.AuditAsync();
        audit.ShouldContain(line => line.StartsWith("otto run run ", StringComparison.Ordinal) && line.EndsWith(" 127.0.0.1", StringComparison.Ordinal));
        audit.ShouldContain("otto dashboard /recurring/trigger 127.0.0.1");
        audit.ShouldContain("otto dashboard /jobs/failed/requeue 127.0.0.1");
    }

    [Fact]
    public async Task Neither_keys_nor_cookies_stand_in_any_log_however_much_is_logged()
    {
        var log = new RecordingLog();
        await using var host = await SecuredHost.StartAsync(
            new() { ["Logging:LogLevel:Default"] = "Trace", ["Logging:LogLevel:Microsoft"] = "Trace", ["Logging:Console:LogLevel:Default"] = "None" },
            configure: builder => Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<ILoggerProvider>(builder.Services, log));
        using var browser = host.Client(cookies: true);
        using var signedIn = await SignInAsync(browser, host.Operator, "");
        var session = signedIn.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("aiworkflows.session=", StringComparison.Ordinal)).Split(';')[0].Split('=', 2)[1];
        await browser.GetAsync("/hangfire/runs", Ct);
        using var program = host.Client(host.Viewer);
        await program.GetAsync("/api/runs", Ct);
        var (_, wrong) = ApiKey.Create();
        using var stranger = host.Client(wrong);
        await stranger.GetAsync("/api/runs", Ct);

        var text = log.Text;
        text.ShouldContain("/api/runs");
        foreach (var secret in new[] { host.Operator, host.Viewer, wrong, session })
            text.ShouldNotContain(secret[20..40], Case.Sensitive);
    }

    private static HttpClient Browser(ServedHost host, CookieContainer cookies) =>
        new(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = cookies }) { BaseAddress = host.Http.BaseAddress };

    private static async Task AddAsync(ServedHost host, string id, string key) =>
        (await Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions.GetRequiredService<AiWorkflows.Storage.Security.ApiKeyStore>(host.Services).AddAsync(id, "ada", "operator", ApiKey.HashOf(key), null, "test", Ct)).ShouldBeTrue();

    private static async Task BecomesAsync(HttpClient client, HttpStatusCode status)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        patience.CancelAfter(TimeSpan.FromSeconds(4));
        while ((await client.GetAsync("/hangfire/runs", patience.Token)).StatusCode != status)
            await Task.Delay(50, patience.Token);
    }

    internal static async Task<HttpResponseMessage> SignInAsync(HttpClient browser, string key, string returnUrl, Uri? host = null)
    {
        var page = new Uri(host ?? browser.BaseAddress!, "/login");
        var html = await browser.GetStringAsync(page, Ct);
        var token = Token().Match(html);
        using var form = new FormUrlEncodedContent([new("key", key), new("returnUrl", returnUrl), new(token.Groups[1].Value, WebUtility.HtmlDecode(token.Groups[2].Value))]);
        return await browser.PostAsync(page, form, Ct);
    }

    private static string Meta(string html, string name) => WebUtility.HtmlDecode(Regex.Match(html, $"<meta name=\"{name}\" content=\"([^\"]+)\"").Groups[1].Value);

    private sealed class RecordingLog : ILoggerProvider, ILogger
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = [];

        public string Text => string.Join('\n', _lines);

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull
        {
            _lines.Enqueue($"{state}");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue(formatter(state, exception) + exception);

        public void Dispose() { }
    }

    [GeneratedRegex("name=\"(__[A-Za-z]+)\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
