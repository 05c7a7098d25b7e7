using System.Text.Json;
using AiWorkflows.Storage;
using AiWorkflows.Tests.Cli;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Inference.Online;

/// <summary>What became of what was answered online, whether or not a batch has predicted the same moment; and the whole path of an answer over a shared database.</summary>
public sealed class OnlineOutcomeTests(FinishedShop finished) : IClassFixture<FinishedShop>
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Online_predictions_get_their_outcome_when_it_becomes_known()
    {
        await using var shop = await ServedShop.StartAsync(finished.Host.Directory);
        await CheckOutcomesAsync(shop);
    }

    [Fact]
    public async Task Hosts_of_a_shared_database_give_one_answer_to_one_request_and_explain_each_others()
    {
        await using var shop = await SharedShop.StartAsync();
        var (first, second) = (shop.First, shop.Second);
        ServedShop[] hosts = [first, second];

        var batch = (await first.Services.GetRequiredService<StoreDatabase>().ReadAsync<BatchRow>("""
            SELECT r.entity_key, r.score, r.feature_hash FROM {prediction_log.prediction_rows} r JOIN {prediction_log.batches} b ON b.batch_id = r.batch_id
            WHERE b.state = 'published' ORDER BY r.entity_key
            """, null, Ct)).ToArray();
        batch.Length.ShouldBeGreaterThan(300);
        var all = new { instances = batch.Select(b => new { visit_id = JsonDocument.Parse(b.EntityKey).RootElement[0].GetInt64() }) };
        foreach (var host in hosts)
        {
            var (status, answer) = await host.PredictAsync(all);
            status.ShouldBe(200, answer.ToString());
            answer.GetProperty("predictions").EnumerateArray().Select(p => p.GetProperty("score").GetDouble()).ShouldBe(batch.Select(b => b.Score));
        }

        var request = new { request_id = "order-17", instances = new[] { new { visit_id = 30_001 }, new { visit_id = 30_002 } } };
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => hosts[i % 2].PredictAsync(request)));
        answers.ShouldAllBe(a => a.Status == 200);
        answers.Select(a => a.Body.GetRawText()).Distinct().Count().ShouldBe(1);
        var id = answers[0].Body.GetProperty("predictions")[0].GetProperty("prediction_id").GetInt64();
        var explained = await second.CommandAsync("predictions", "explain", $"{id}");
        explained.Code.ShouldBe(0, explained.ToString());
        explained.Out.ShouldContain("shop_sales.amount1d");
        await CheckOutcomesAsync(second);
    }

    private static async Task CheckOutcomesAsync(ServedShop shop)
    {
        var day = new Window(Till.Opening.AddDays(39), Till.Opening.AddDays(40));
        var visits = Till.Read(day).Where(v => day.Contains(v.At)).Take(20).ToArray();
        // A minute before the visit there is no row of the spine, and no batch predicts that moment.
        var known = new List<(long Id, double Actual)>();
        foreach (var minutes in new[] { -1, 0, -1 })
        {
            var (status, answer) = await shop.PredictAsync(new { instances = visits.Select(v => new { visit_id = v.Id, at = v.At.AddMinutes(minutes), shop = v.Shop, basket = v.Basket }) });
            status.ShouldBe(200, answer.ToString());
            known.AddRange(answer.GetProperty("predictions").EnumerateArray().Zip(visits, (p, v) => (p.GetProperty("prediction_id").GetInt64(), v.Amount > 0 ? 1.0 : 0.0)));
        }
        // Of one the purchase comes too late to be an outcome, of the other there is none.
        var (_, none) = await shop.PredictAsync(new { instances = new object[] { new { visit_id = visits[0].Id, at = visits[0].At.AddHours(-9), shop = "north", basket = 1 }, new { visit_id = 987_654_321 } } });
        var without = none.GetProperty("predictions").EnumerateArray().Select(p => p.GetProperty("prediction_id").GetInt64()).ToArray();

        var (engine, ledger) = (shop.Services.GetRequiredService<RunEngine>(), shop.Services.GetRequiredService<ILedger>());
        var run = await engine.RequestAsync(new("shop", day, "test", "manual"), Ct);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while ((await ledger.FindRunAsync(run.RunId!.Value, Ct))!.State is "requested" or "running")
            await Task.Delay(50, patience.Token);
        (await ledger.FindRunAsync(run.RunId!.Value, Ct))!.State.ShouldBe("succeeded");

        var scored = (await shop.Services.GetRequiredService<StoreDatabase>().ReadAsync<ScoredRow>(
            "SELECT prediction_id, actual FROM {prediction_log.scored} WHERE run_id IS NULL", null, Ct)).ToDictionary(r => r.PredictionId, r => r.Actual);
        foreach (var (id, actual) in known)
            scored.GetValueOrDefault(id, -1).ShouldBe(actual);
        without.ShouldAllBe(id => !scored.ContainsKey(id));
        var found = await shop.CommandAsync("predictions", "list", "--json", "--limit", "5");
        found.Code.ShouldBe(0, found.ToString());
    }

    private sealed class BatchRow
    {
        public string EntityKey { get; set; } = "";

        public double Score { get; set; }

        public long FeatureHash { get; set; }
    }

    private sealed class ScoredRow
    {
        public long PredictionId { get; set; }

        public double Actual { get; set; }
    }
}
