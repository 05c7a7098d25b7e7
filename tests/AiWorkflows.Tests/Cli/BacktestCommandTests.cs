using System.Text.Json;

namespace AiWorkflows.Tests.Cli;

/// <summary><c>backtest</c>: what it trains, predicts and says, beside what the workflow itself has.</summary>
public sealed class BacktestCommandTests(FinishedShop shop) : IClassFixture<FinishedShop>
{
    private static readonly string[] Order = ["backtest", "shop", "--from", "2024-01-29", "--to", "2024-02-09", "--retrain-every", "5d"];

    [Fact]
    public async Task Each_period_is_predicted_with_a_model_of_its_start_and_judged_by_what_became_of_it()
    {
        await using var copy = shop.Copy();
        var result = await copy.RunAsync([.. Order, "--json"]);
        result.Code.ShouldBe(0, result.ToString());
        using var json = JsonDocument.Parse(result.Out);
        (json.RootElement.GetProperty("backtest").GetProperty("alias").GetString(), json.RootElement.GetProperty("backtest").GetProperty("succeeded").GetInt32()).ShouldBe(("backtest-1", 3));
        JsonElement[] periods = [.. json.RootElement.GetProperty("periods").EnumerateArray()];
        periods.Select(p => p.GetProperty("window_from").GetString()).ShouldBe(["2024-01-29T00:00:00Z", "2024-02-03T00:00:00Z", "2024-02-08T00:00:00Z"]);
        foreach (var period in periods)
        {
            var (from, to) = (period.GetProperty("window_from").GetDateTime(), period.GetProperty("window_to").GetDateTime());
            period.GetProperty("cut_off").GetDateTime().ShouldBeLessThanOrEqualTo(from);
            // The oracle knows the till, and what was predicted; ranks are counted pair by pair.
            var said = (await RowsAsync(copy, $"SELECT entity_key, probability FROM prediction_log_predictions_all WHERE role = 'backtest' AND run_id = {period.GetProperty("run_id").GetInt64()}"))
                .ToDictionary(r => r.GetProperty("entity_key").GetString()!, r => r.GetProperty("probability").GetDouble());
            var known = Till.Read(new(from, to)).Where(v => v.At >= from && v.At < to && v.Amount >= 0).Select(v => (Said: said[$"[{v.Id}]"], Bought: v.Amount > 0)).ToArray();
            (period.GetProperty("predictions").GetInt32(), period.GetProperty("known").GetInt32()).ShouldBe((40 * (to - from).Days, known.Length));
            period.GetProperty("value").GetDouble().ShouldBe(Auc(known), 1e-9);
            (period.GetProperty("metric").GetString(), period.GetProperty("baseline_value").GetDouble(), period.GetProperty("beats_baseline").GetBoolean()).ShouldBe(("auc", 0.5, true));
        }
        var people = await copy.RunAsync(Order);
        people.Code.ShouldBe(0, people.ToString());
        people.Out.ShouldContain("Backtest 1 is that request already");
        people.Out.ShouldMatch(@"\[2024-02-03, 2024-02-08\) +buy v\d.* +200 +\d+ +0\.\d+ +0\.500 \w+ +better");
        people.Out.ShouldMatch(@"better than the baseline in 3 of 3 periods; on average, weighted by what is known, auc 0\.\d+ against 0\.500\.");
    }

    [Fact]
    public async Task The_champion_the_predictions_and_what_is_owed_stay_as_they_were()
    {
        await using var copy = shop.Copy();
        const string own = """
            SELECT 'alias', alias, version, '' FROM model_registry_aliases WHERE alias NOT LIKE 'backtest-%'
            UNION ALL SELECT 'prediction', entity_key, probability, model FROM prediction_log_predictions
            UNION ALL SELECT 'metric', metric, metric_value, day FROM prediction_log_metrics
            UNION ALL SELECT 'coverage', pipeline, window_from, window_to FROM workflows_coverage WHERE pipeline IN ('buy-scoring', 'buy-training')
            UNION ALL SELECT 'features', key, value, '' FROM (SELECT shop AS key, COUNT(*) AS value FROM feature_store_shop_sales_v1 GROUP BY shop) t
            ORDER BY 1, 2, 3, 4
            """;
        var before = (await copy.RunAsync("sql", own, "--all")).Out;
        before.Split('\n').Length.ShouldBeGreaterThan(400);
        (await copy.RunAsync(Order)).Code.ShouldBe(0);
        (await copy.RunAsync("sql", own, "--all")).Out.ShouldBe(before);

        var versions = await RowsAsync(copy, "SELECT v.version, v.promotion, r.triggered_by FROM model_registry_versions v JOIN workflows_runs r ON r.run_id = v.run_id WHERE v.version > 1 ORDER BY v.version");
        versions.Count.ShouldBe(3);
        versions.ShouldAllBe(v => v.GetProperty("triggered_by").GetString() == "backtest" && v.GetProperty("promotion").GetString()!.StartsWith("In backtest-1: "));
        (await RowsAsync(copy, "SELECT DISTINCT s.step, s.reason FROM workflows_stage_runs s JOIN workflows_runs r ON r.run_id = s.run_id WHERE r.triggered_by = 'backtest' AND s.state = 'skipped' ORDER BY s.step"))
            .Select(s => $"{s.GetProperty("step")} {s.GetProperty("reason")}").ShouldBe(["buy-scoring/outcomes backtest", "purchase already covered", "shop-sales already covered", "visit already covered"]);
        (await copy.RunAsync("run", "shop")).Out.ShouldContain("Nothing to do");
        (await copy.RunAsync("backfill", "list")).Out.ShouldMatch(@"shop +2024-01-29 +2024-02-09 +5d, backtest +succeeded");
    }

    [Fact]
    public async Task In_an_empty_store_it_computes_features_and_says_where_there_was_no_history_yet()
    {
        await using var host = new ShopHost();
        var result = await host.RunAsync("backtest", "shop", "--from", "2024-01-01", "--to", "2024-02-10", "--retrain-every", "10d", "--json");
        result.Code.ShouldBe(0, result.ToString());
        using var json = JsonDocument.Parse(result.Out);
        json.RootElement.GetProperty("periods").EnumerateArray().Select(p => p.GetProperty("reason").GetString()).ShouldBe(["no model", null, null, null]);
        var last = json.RootElement.GetProperty("periods").EnumerateArray().Last();
        (last.GetProperty("predictions").GetInt32(), last.GetProperty("known").GetInt32()).ShouldBeInRange((400, 380), (400, 399));
        (await host.RunAsync("sql", "SELECT COUNT(*) FROM model_registry_aliases WHERE alias = 'champion'")).Out.ShouldMatch(@"\b0\s*$");
    }

    [Theory]
    [InlineData("backtest shop --from 2024-01-29 --to 2024-02-09", "--retrain-every is missing")]
    [InlineData("backtest shop --from 2024-01-29 --to 2024-02-09 --retrain-every 5h", "--retrain-every must be a multiple of")]
    [InlineData("backtest shop --from 2024-01-29 --to 2024-03-09 --retrain-every 5d", "is not over")]
    [InlineData("backtest shopp --from 2024-01-29 --to 2024-02-09 --retrain-every 5d", "did you mean shop")]
    public async Task What_makes_no_sense_is_refused(string line, string message)
    {
        await using var host = new ShopHost();
        var result = await host.RunAsync(line.Split(' '));
        result.Code.ShouldBe(2, result.ToString());
        result.Error.ShouldContain(message);
    }

    private static double Auc((double Said, bool Bought)[] rows)
    {
        var (wins, pairs) = (0.0, 0L);
        foreach (var yes in rows.Where(r => r.Bought))
            foreach (var no in rows.Where(r => !r.Bought))
            {
                pairs++;
                wins += yes.Said > no.Said ? 1 : yes.Said == no.Said ? 0.5 : 0;
            }
        return wins / pairs;
    }

    private static async Task<IReadOnlyList<JsonElement>> RowsAsync(ShopHost host, string sql)
    {
        var result = await host.RunAsync("sql", sql, "--json");
        result.Code.ShouldBe(0, result.ToString());
        using var json = JsonDocument.Parse(result.Out);
        return [.. json.RootElement.EnumerateArray().Select(e => e.Clone())];
    }
}
