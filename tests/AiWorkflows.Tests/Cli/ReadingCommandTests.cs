using System.Text.Json;

namespace AiWorkflows.Tests.Cli;

/// <summary>Every reading command: lines for people, JSON with stable keys, and nothing else on standard output.</summary>
public sealed class ReadingCommandTests(FinishedShop shop) : IClassFixture<FinishedShop>
{
    [Theory]
    [InlineData("workflows list", "workflow schedule paused paused_by owed_windows owed_from owed_to last_run_id last_run_state last_run_finished_at")]
    [InlineData("runs list", "run_id workflow state window_from window_to mode hindsight requested_by triggered_by requested_at started_at finished_at code_version error reason seconds")]
    [InlineData("runs logs 2", "log_id logged_at step attempt level message")]
    [InlineData("features list", "feature_group version description written_by online deprecated rows commits rows_quarantined last_event_time last_published_at watermark columns")]
    [InlineData("features quarantine list", "quarantine_id feature_group version commit_id run_id rule reason quarantined_at replayed_by row")]
    [InlineData("quarantine list purchases", "quarantine_id feature_group version commit_id run_id rule reason quarantined_at replayed_by row")]
    [InlineData("models list", "model task description versions champion metric metric_value baseline_value champion_since")]
    [InlineData("predictions list", "prediction_id model version entity_key event_time score probability label output pipeline role hindsight predicted_at run_id actual actual_text actual_at")]
    [InlineData("doctor", "name state detail")]
    [InlineData("retention plan", "class older_than_hours rows bytes held")]
    public async Task Lists_are_arrays_of_objects(string line, string keys)
    {
        using var json = await JsonAsync(line);
        json.RootElement.ValueKind.ShouldBe(JsonValueKind.Array);
        json.RootElement.GetArrayLength().ShouldBePositive();
        json.RootElement[0].EnumerateObject().Select(p => p.Name).ShouldBe(keys.Split(' '), ignoreOrder: true);
    }

    [Theory]
    [InlineData("workflows show shop", "workflow schedule paused paused_by window_seconds origin warm_up until owed_windows owed_from owed_to last_run_id last_run_state stages")]
    [InlineData("runs show 2", "run steps commits quarantine models batches")]
    [InlineData("features show purchases", "feature_group version description written_by rows commits rows_quarantined last_event_time last_published_at watermark columns latest_commits latest_inputs used_by")]
    [InlineData("features stats purchases", "feature_group version rows commits")]
    [InlineData("features get buy visit_id=35007", "view view_version entity_key event_time as_of_seq features rows")]
    [InlineData("models show buy", "model versions alias_history")]
    [InlineData("predictions explain 4294967296", "prediction example example_notice batch model_version commits online")]
    public async Task One_thing_is_one_object(string line, string keys)
    {
        using var json = await JsonAsync(line);
        json.RootElement.EnumerateObject().Select(p => p.Name).ShouldBe(keys.Split(' '), ignoreOrder: true);
    }

    [Theory]
    [InlineData("workflows list", @"shop +0 3 \* \* \* +nothing +2 +succeeded")]
    [InlineData("workflows show shop", @"buy-training +training +.*view buy +model buy +2024-02-10")]
    [InlineData("features list", @"purchases +1 +purchase +1,594 +2 +6 ")]
    [InlineData("features show purchases", @"Whether a visit ended in a purchase")]
    [InlineData("features show purchases", @"amount +Single +feature +allowed")]
    [InlineData("features show shop_sales", @"buy v1 +Amount +sales: amount1d")]
    [InlineData("features show shop_sales", @"reads +purchases v1")]
    [InlineData("features stats visits", @"shop +400 +0 .* 2 +north \(200\), south \(200\)")]
    [InlineData("features stats visits", @"basket +400 +0 +0\.\d+ +4\d\.\d+ +99\.\d+")]
    [InlineData("quarantine list", @"purchases v1 +amount in \[0, 1000\] +found -1000 +\{""known_at"":")]
    [InlineData("quarantine list", @"purchases +amount in \[0, 1000\] +6 +0")]
    [InlineData("models list", @"buy +binary +1 +v1 +auc +0\.\d{3} +0\.500")]
    [InlineData("models show buy", @"v1 +none +training pipeline +Promoted")]
    [InlineData("models show buy 1", @"auc +0\.\d{3}; prior 0\.500, constant 0\.500")]
    [InlineData("models show buy v1", @"Feature importance \(share of gain\)")]
    [InlineData("predictions list --limit 2", @"More with --before \d+; why with `predictions explain \d+`")]
    [InlineData("predictions list --key 35007", @"buy v1 +\[35007\] +2024-02-05 03:30 +0\.\d{3}")]
    [InlineData("predictions list --key [35007]", @"\[35007\]")]
    [InlineData("predictions list --key 1", @"^No predictions about 1\.")]
    [InlineData("predictions explain 4294967296", @"Amount +\d+\.\d+ +sales: shop_sales\.amount1d +2 h +\d+")]
    [InlineData("predictions explain 4294967296", @"prediction +shop_sales v1 +\d+, \d+ .* 1, 2 ")]
    [InlineData("predictions explain 4294967296", @"training +purchases v1 ")]
    [InlineData("doctor", "Everything is all right.")]
    public async Task People_read_aligned_lines(string line, string pattern)
    {
        var result = await shop.Host.RunAsync(line.Split(' '));
        result.Code.ShouldBe(0, result.ToString());
        result.Out.ShouldMatch(pattern, customMessage: result.ToString());
        result.Out.ShouldNotContain("\x1b");
        result.Error.ShouldBeEmpty();
    }

    [Fact]
    public async Task Explain_shows_the_values_that_were_scored_and_the_walk_to_runs_and_code()
    {
        using var json = await JsonAsync("predictions explain 4294967316");
        var explained = json.RootElement;
        var visit = Till.Read(new(Till.Opening, Till.Opening.AddDays(40))).Single(v => v.Id == explained.GetProperty("prediction").GetProperty("entity_key")[0].GetInt64());
        var features = explained.GetProperty("example").GetProperty("features").EnumerateArray().ToDictionary(f => f.GetProperty("feature").GetString()!, f => f.GetProperty("value"));
        features["Basket"].GetSingle().ShouldBe(visit.Basket);
        var sales = explained.GetProperty("example").GetProperty("rows").EnumerateArray().Single();
        var hour = visit.At.AddTicks(-(visit.At.Ticks % TimeSpan.TicksPerHour));
        sales.GetProperty("event_time").GetDateTime().ToUniversalTime().ShouldBe(hour);
        var day = Till.Read(new(hour.AddDays(-2), hour)).Where(v => v.Shop == visit.Shop && v.KnownAt >= hour.AddDays(-1) && v.KnownAt < hour && v.Amount >= 0).ToList();
        features["Visits"].GetSingle().ShouldBe(day.Count);
        features["Amount"].GetSingle().ShouldBe((float)day.Average(v => v.Amount), 1e-3f);
        explained.GetProperty("model_version").GetProperty("dataset_id").GetInt64().ShouldBe(1);
        explained.GetProperty("batch").GetProperty("run_id").GetInt64().ShouldBe(2);
        explained.GetProperty("commits").EnumerateArray().Select(c => (c.GetProperty("read_for").GetString(), c.GetProperty("feature_group").GetString(), c.GetProperty("run_id").GetInt64()))
            .ShouldBe([("prediction", "shop_sales", 1), ("prediction", "shop_sales", 2), ("prediction", "visits", 2), ("training", "purchases", 1), ("training", "shop_sales", 1), ("training", "visits", 1)], ignoreOrder: true);
    }

    [Fact]
    public async Task Features_are_those_of_the_moment_that_is_asked_for()
    {
        using var at = await JsonAsync("features get buy visit_id=35007 --at 2024-02-06T00:30Z");
        at.RootElement.GetProperty("rows")[0].GetProperty("event_time").GetString().ShouldBe("2024-02-05T22:00:00Z");
        var before = await shop.Host.RunAsync("features", "get", "buy", "visit_id=35007", "--as-of", "2001-01-01");
        before.Code.ShouldBe(2);
        before.Error.ShouldContain("View buy has no example for visit_id=35007 as of 2001-01-01: visits has no such row.");
        var unknown = await shop.Host.RunAsync("features", "get", "buy", "visit_id=999999999");
        unknown.Code.ShouldBe(2, unknown.ToString());
        unknown.Error.ShouldContain("visits has no such row");
        var text = await shop.Host.RunAsync("features", "get", "buy", "visit_id=abc");
        text.Code.ShouldBe(2, text.ToString());
        text.Error.ShouldContain("abc");
    }

    [Fact]
    public async Task Predictions_page_without_gap_or_repetition()
    {
        var (seen, before) = (new List<long>(), "");
        while (true)
        {
            using var page = await JsonAsync($"predictions list --limit 150{before}");
            var ids = page.RootElement.EnumerateArray().Select(p => p.GetProperty("prediction_id").GetInt64()).ToList();
            seen.AddRange(ids);
            if (ids.Count < 150)
                break;
            before = $" --before {ids[^1]}";
        }
        seen.Count.ShouldBe(400);
        seen.ShouldBe(seen.OrderDescending().Distinct());
    }

    [Fact]
    public async Task Only_the_current_prediction_of_an_event_is_listed()
    {
        await using var copy = shop.Copy();
        (await copy.RunAsync("run", "shop", "--from", "2024-02-05", "--to", "2024-02-06")).Code.ShouldBe(0);
        (await copy.RunAsync("models", "promote", "buy", "2")).Code.ShouldBe(0);
        (await copy.RunAsync("run", "shop", "--from", "2024-02-05", "--to", "2024-02-06")).Code.ShouldBe(0);
        using var json = JsonDocument.Parse((await copy.RunAsync("predictions", "list", "--key", "35007", "--json")).Out);
        json.RootElement.EnumerateArray().Single().GetProperty("version").GetInt32().ShouldBe(2);
        using var all = JsonDocument.Parse((await copy.RunAsync("sql", "SELECT count(*) AS n FROM prediction_log_predictions_all", "--json")).Out);
        all.RootElement[0].GetProperty("n").GetInt64().ShouldBe(480);
    }

    private async Task<JsonDocument> JsonAsync(string line)
    {
        var result = await shop.Host.RunAsync([.. line.Split(' '), "--json"]);
        result.Code.ShouldBe(0, result.ToString());
        result.Error.ShouldBeEmpty();
        return JsonDocument.Parse(result.Out);
    }
}
