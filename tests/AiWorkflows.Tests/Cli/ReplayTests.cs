using System.Text.Json;

namespace AiWorkflows.Tests.Cli;

/// <summary><c>serve --replay</c> as somebody would type it.</summary>
public sealed class ReplayTests
{
    [Theory]
    [InlineData("serve --replay", "--replay")]
    [InlineData("serve --replay soon", "'soon' is no date or time")]
    [InlineData("serve --replay 2024-01-31T03:00", "is a local time")]
    [InlineData("serve --replay 2023-01-01", "does not lie within the data: that of shop goes from 2024-01-01 to 2024-02-10")]
    [InlineData("serve --replay 2024-01-01", "needs some history before its start")]
    [InlineData("serve --replay 2024-02-10", "does not lie within the data")]
    [InlineData("serve --replay 2024-01-31 --speed fast", "--speed 'fast' is no speed")]
    [InlineData("serve --replay 2024-01-31 --speed 0", "from 1 to 1000000")]
    [InlineData("serve --replay 2024-01-31 --speed -5", "")]
    [InlineData("serve --speed 60", "say from when on")]
    public async Task What_cannot_be_replayed_is_refused_with_what_to_change(string line, string message)
    {
        await using var host = new ShopHost();
        var result = await host.RunAsync(line.Split(' '));
        result.Code.ShouldBe(2, result.ToString());
        result.Out.ShouldBeEmpty();
        result.Error.ShouldContain(message);
        result.Error.TrimEnd().Split('\n').Length.ShouldBeLessThanOrEqualTo(2);
        File.Exists(Path.Combine(host.DataDirectory, "replay.db")).ShouldBeFalse();
    }

    [Fact]
    public async Task On_a_shared_database_there_is_no_replay()
    {
        await using var host = new ShopHost();
        host.Settings["AiWorkflows:Engine"] = "SqlServer";
        host.Settings["AiWorkflows:ConnectionString"] = "Server=nowhere;Database=none;Integrated Security=True";
        var result = await host.RunAsync("serve", "--replay", "2024-01-31");
        result.Code.ShouldBe(2, result.ToString());
        result.Error.ShouldContain("does not run on SQL Server");
    }

    [Fact]
    public async Task Days_of_history_become_daily_runs_with_predictions_outcomes_and_a_decision_about_each_new_model()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1", "takes half a minute: AIWORKFLOWS_TEST_LONG=1");
        await using var host = new ShopHost();
        host.Settings["AiWorkflows:Urls"] = "http://127.0.0.1:0";
        Directory.CreateDirectory(host.DataDirectory);
        await File.WriteAllTextAsync(Path.Combine(host.DataDirectory, "replay.db"), "of an earlier replay", TestContext.Current.CancellationToken);

        // Nine days in 18 seconds.
        var served = await ServeAsync(host, "serve --replay 2024-02-01 --speed 43200", until: "the replay has come to its end");
        served.Out.ShouldContain("Replay: from 2024-02-01 to 2024-02-10 UTC, 43,200 times as fast as time, a day in 2.0 s");
        served.Out.ShouldMatch(@"run 1 of shop for \[2024-01-01, 2024-02-01\) succeeded");
        File.Exists(Path.Combine(host.DataDirectory, "aiworkflows.db")).ShouldBeFalse();

        host.Settings["AiWorkflows:ConnectionString"] = $"Data Source={Path.Combine(host.DataDirectory, "replay.db")}";
        var runs = await JsonAsync(host, "runs list --workflow shop");
        runs.Count.ShouldBeGreaterThan(3, served.Out);
        runs.ShouldAllBe(r => r.GetProperty("state").GetString() == "succeeded");
        runs.ShouldAllBe(r => r.GetProperty("triggered_by").GetString() == "schedule");
        // One after another and without a gap, from the first cell to the last.
        var windows = runs.Select(r => (From: r.GetProperty("window_from").GetDateTime(), To: r.GetProperty("window_to").GetDateTime())).OrderBy(w => w.From).ToArray();
        windows.Zip(windows.Skip(1)).ShouldAllBe(p => p.First.To == p.Second.From);
        (windows[0].From, windows[0].To, windows[^1].To).ShouldBe((Till.Opening, Till.Opening.AddDays(31), Till.Opening.AddDays(40)));

        var versions = (await JsonAsync(host, "models show buy"))[0].GetProperty("versions").EnumerateArray().ToArray();
        versions.Length.ShouldBe(runs.Count - 1);
        versions.ShouldAllBe(v => v.GetProperty("promotion").GetString()!.Length > 0);
        var predictions = await JsonAsync(host, "sql|SELECT COUNT(*) AS n, COUNT(DISTINCT substr(event_time, 1, 10)) AS days FROM prediction_log_predictions");
        (predictions[0].GetProperty("n").GetInt64(), predictions[0].GetProperty("days").GetInt64()).ShouldBe((9L * Till.VisitsPerDay, 9));
        (await JsonAsync(host, "sql|SELECT COUNT(*) AS n FROM prediction_log_scored"))[0].GetProperty("n").GetInt64().ShouldBeGreaterThan(7L * Till.VisitsPerDay);
    }

    private static async Task<CliResult> ServeAsync(ShopHost host, string line, string until)
    {
        var console = new TextConsole();
        await using var app = host.Build(console);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stop.CancelAfter(TimeSpan.FromMinutes(3));
        var serving = AiWorkflows.Hosting.Cli.CommandLine.RunAsync(app, line.Split(' '), stop.Token);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!serving.IsCompleted && !console.OutText.Contains(until, StringComparison.Ordinal))
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        // What the last tick has requested ends too.
        for (var seen = -1; seen != console.OutText.Length && !serving.IsCompleted; await Task.Delay(4000, TestContext.Current.CancellationToken))
            seen = console.OutText.Length;
        await stop.CancelAsync();
        return new(await serving, console.OutText, console.ErrorText);
    }

    private static async Task<List<JsonElement>> JsonAsync(ShopHost host, string line)
    {
        var result = await host.RunAsync([.. line.Split(line.Contains('|') ? '|' : ' '), "--json"]);
        result.Code.ShouldBe(0, result.ToString());
        var root = JsonDocument.Parse(result.Out).RootElement;
        return root.ValueKind == JsonValueKind.Array ? [.. root.EnumerateArray()] : [root];
    }
}
