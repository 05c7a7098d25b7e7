using System.Text.Json;

namespace AiWorkflows.Tests.Cli;

/// <summary>Groups that another workflow writes are read by a backfill as they were when it was requested; whoever asks later why it said something, or trains its model again, reads them so too.</summary>
public sealed class ForeignGroupTests
{
    [Fact]
    public async Task A_prediction_of_a_backfill_is_explained_and_its_model_reproduced_by_what_was_read()
    {
        await using var host = new ShopHost
        {
            Define = ai =>
            {
                ai.Workflow("tills", w => w.Window(TimeSpan.FromDays(1), Till.Opening).Until(Till.Opening.AddDays(40)).Stage<PurchasePipeline>().Stage<ShopSalesPipeline>());
                ai.Workflow("shop", w => w.Window(TimeSpan.FromDays(1), Till.Opening).WarmUp(Till.Opening.AddDays(30)).Until(Till.Opening.AddDays(40)).Stage<VisitPipeline>().Stage<BuyTraining>().Stage<BuyScoring>());
            },
        };
        await DoneAsync("run", "tills");
        await DoneAsync("run", "shop");
        // Days of a week before: nothing has been predicted for them. The purchase that was typed wrong on the 25th is in quarantine.
        string[] backfill = ["backfill", "shop", "--from", "2024-01-23", "--to", "2024-01-28", "--every", "1d"];
        await DoneAsync([.. backfill, "--detach"]);
        string[] trained = ["backfill", "shop", "--from", "2024-01-30", "--to", "2024-02-03", "--every", "2d", "--train"];
        await DoneAsync([.. trained, "--detach"]);

        // The workflow of the tills lets it in after that, so that the mean of a day becomes negative.
        await File.WriteAllTextAsync(Path.Combine(host.Directory, "refunds"), "", TestContext.Current.CancellationToken);
        await DoneAsync("run", "tills", "--from", "2024-01-01", "--to", "2024-02-03");
        await DoneAsync(backfill);
        await DoneAsync(trained);

        var predictions = (await SqlAsync("SELECT prediction_id FROM prediction_log_predictions WHERE hindsight = 1 AND entity_key = '[24021]'")).EnumerateArray().ToArray();
        predictions.Length.ShouldBe(1);
        var explained = await DoneAsync("predictions", "explain", predictions[0].GetProperty("prediction_id").ToString(), "--json");
        using var json = JsonDocument.Parse(explained.Out);
        Amount(json.RootElement.GetProperty("example")).ShouldBeGreaterThan(0);
        (await DoneAsync("models", "reproduce", "buy", "2")).Out.ShouldContain("Identical to the bit");

        // What is asked for now sees it.
        var now = await DoneAsync("features", "get", "buy", "visit_id=24021", "--json");
        using var current = JsonDocument.Parse(now.Out);
        Amount(current.RootElement).ShouldBeLessThan(0);

        async Task<CliResult> DoneAsync(params string[] command)
        {
            var result = await host.RunAsync(command);
            result.Code.ShouldBe(0, $"{string.Join(' ', command)}: {result}");
            return result;
        }

        async Task<JsonElement> SqlAsync(string sql) => JsonDocument.Parse((await DoneAsync("sql", sql, "--json")).Out).RootElement;
    }

    private static double Amount(JsonElement example) =>
        example.GetProperty("features").EnumerateArray().Single(f => f.GetProperty("feature").GetString() == "Amount").GetProperty("value").GetDouble();
}
