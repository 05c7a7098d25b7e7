using System.Collections.Concurrent;
using System.Net;
using System.Text.RegularExpressions;
using AiWorkflows.Hosting.Security;
using AiWorkflows.Tests.Cli;
using AiWorkflows.Tests.Docs;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Tests.Hosting.Security;

/// <summary>Keys and passwords stand in no log, however much is logged, and in no output but that of <c>keys create</c>; what people do stands in the audit.</summary>
public sealed partial class SecretTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keys_stand_in_no_log_although_everything_is_logged()
    {
        var logs = new Logs();
        await using var host = await SecuredHost.StartAsync(logs.Everything, configure: logs.Listen);
        var wrong = ApiKey.Create().Key;
        foreach (var (key, status) in new[] { (host.Viewer, HttpStatusCode.OK), (host.Operator, HttpStatusCode.OK), (wrong, HttpStatusCode.Unauthorized) })
        {
            using var bearer = host.Client(key);
            (await bearer.GetAsync("/api/runs", Ct)).StatusCode.ShouldBe(status);
            using var header = host.Client();
            header.DefaultRequestHeaders.Add("X-Api-Key", key);
            (await header.GetAsync("/hangfire/runs", Ct)).StatusCode.ShouldBe(status);
            using var browser = host.Client(cookies: true);
            var page = await browser.GetStringAsync("/login", Ct);
            using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["key"] = key, ["__RequestVerificationToken"] = Token().Match(page).Groups[1].Value });
            (await browser.PostAsync("/login", form, Ct)).StatusCode.ShouldBe(status == HttpStatusCode.OK ? HttpStatusCode.Redirect : HttpStatusCode.Unauthorized);
        }
        // What is told at the lowest level of all is among them.
        logs.Lines.ShouldContain(l => l.StartsWith("Microsoft.AspNetCore.Routing.Matching", StringComparison.Ordinal));
        foreach (var key in new[] { host.Viewer, host.Operator, wrong })
        {
            logs.ShouldNotHold(key[^43..]);
            logs.ShouldNotHold(ApiKey.HashOf(key));
        }
        (host.Served.Out + host.Served.Error).ShouldNotContain("awk_");
        string.Join("\n", await host.AuditAsync()).ShouldNotContain(wrong[^43..]);
    }

    [Fact]
    public async Task A_key_is_shown_once_by_the_command_that_makes_it()
    {
        await using var shop = new ShopHost();
        var made = (await shop.RunAsync("keys", "create", "ci", "--role", "operator", "--verbose")).ToString();
        var secret = Key().Match(made).Value[^43..];
        string[][] commands = [["keys", "list"], ["keys", "list", "--json"], ["sql", "SELECT * FROM workflows_api_keys"], ["sql", "SELECT * FROM workflows_audit"], ["keys", "revoke", "ci"]];
        foreach (var command in commands)
        {
            var printed = await shop.RunAsync(command);
            printed.Code.ShouldBe(0, printed.ToString());
            printed.ToString().ShouldNotContain(secret);
        }
    }

    [Theory]
    [InlineData("doctor")]
    [InlineData("runs list")]
    [InlineData("serve")]
    [InlineData("migrate")]
    public async Task The_password_of_a_connection_string_is_neither_printed_nor_logged(string command)
    {
        using var directory = new TempDirectory();
        directory.File("appsettings.json", "{}");
        var logs = new Logs();
        foreach (var connection in new[] { "Server=127.0.0.1,1;Database=shop;User ID=sa;Password=hunter2-secret;Connect Timeout=1;Encrypt=False", "Server=127.0.0.1;Database=shop;Pasword=hunter2-secret" })
        {
            var settings = new Dictionary<string, string?>(logs.Everything) { ["AiWorkflows:Engine"] = "SqlServer", ["AiWorkflows:ConnectionString"] = connection };
            string printed;
            try
            {
                var host = ServedHost.Build(directory.FullName, settings: settings, configure: logs.Listen);
                (await host.RunAsync(command.Split(' '))).ShouldBeGreaterThan(0);
                printed = host.Out + host.Error;
                printed.ShouldNotBeEmpty();
            }
            catch (InvalidRequestException e)
            {
                printed = e.ToString();
            }
            printed.ShouldNotContain("hunter2");
            logs.ShouldNotHold("hunter2");
        }
    }

    [Fact]
    public async Task Every_action_that_is_recorded_is_documented_and_the_other_way_round()
    {
        var recorded = new HashSet<string>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Snippets.Repository, "src"), "*.cs", SearchOption.AllDirectories).Where(f => !f.Contains("/obj/", StringComparison.Ordinal)))
            foreach (Match call in Recorded().Matches(await File.ReadAllTextAsync(file, Ct)))
                foreach (Match word in Word().Matches(call.Groups[1].Value))
                    recorded.Add(word.Groups[1].Value);
        // Who is not known yet, or is nobody.
        recorded.ExceptWith(["unknown", "upgrade", "retention-job"]);
        var page = await File.ReadAllTextAsync(Path.Combine(Snippets.Repository, "docs", "security.md"), Ct);
        var table = page[page.IndexOf("| action | when |", StringComparison.Ordinal)..page.IndexOf("    SELECT * FROM workflows_audit", StringComparison.Ordinal)];
        var documented = table.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)).SelectMany(l => Backticked().Matches(l.Split('|')[1]).Select(m => m.Groups[1].Value));
        documented.Order().ShouldBe(recorded.Order());
    }

    /// <summary>Up to the subject of the action, which is an interpolated text or a name.</summary>
    [GeneratedRegex(@"\.?AuditAsync\(((?:[^$;]*?)""[a-z][a-z-]*""(?:[^$;""]*""[a-z][a-z-]*"")?)")]
    private static partial Regex Recorded();

    [GeneratedRegex(@"""([a-z][a-z-]*)""")]
    private static partial Regex Word();

    [GeneratedRegex("`([a-z-]+)`")]
    private static partial Regex Backticked();

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();

    [GeneratedRegex("awk_[A-Za-z0-9_-]+")]
    private static partial Regex Key();

    /// <summary>Keeps every line of every category, with its exception.</summary>
    private sealed class Logs : ILoggerProvider
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public Dictionary<string, string?> Everything { get; } = new() { ["Logging:LogLevel:Default"] = "Trace", ["Logging:LogLevel:Hangfire"] = "Trace", ["Logging:LogLevel:Microsoft"] = "Trace", ["Logging:Console:LogLevel:Default"] = "None" };

        public void Listen(WebApplicationBuilder builder) => builder.Services.AddSingleton<ILoggerProvider>(this);

        public void ShouldNotHold(string secret) => Lines.Where(l => l.Contains(secret, StringComparison.OrdinalIgnoreCase)).ShouldBeEmpty();

        public ILogger CreateLogger(string categoryName) => new Logger(categoryName, Lines);

        public void Dispose() { }

        private sealed class Logger(string category, ConcurrentQueue<string> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull
            {
                lines.Enqueue($"{category} {state}");
                return null;
            }

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                lines.Enqueue($"{category} {formatter(state, exception)} {string.Join(' ', state as IEnumerable<KeyValuePair<string, object?>> ?? [])} {exception}");
        }
    }
}
