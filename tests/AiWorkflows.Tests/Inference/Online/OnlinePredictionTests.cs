using System.Text.Json;
using AiWorkflows.Models;
using AiWorkflows.Tests.Cli;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Inference.Online;

public sealed class OnlinePredictionTests(OnlineShop finished) : IClassFixture<OnlineShop>
{
    private const string BatchRows = """
        SELECT r.entity_key, r.score, r.probability, r.output, r.feature_hash FROM prediction_log_prediction_rows r
        JOIN prediction_log_batches b ON b.batch_id = r.batch_id WHERE b.state = 'published' ORDER BY r.entity_key
        """;

    [Fact]
    public async Task Answers_equal_the_batch_to_the_bit_and_are_logged_once()
    {
        await using var shop = await ServedShop.StartAsync(finished.Directory);
        var batch = shop.Query(BatchRows, r => (Key: r.GetString(0), Score: r.GetDouble(1), Probability: r.GetDouble(2), Output: r.GetString(3), Hash: r.GetInt64(4)));
        batch.Count.ShouldBeGreaterThan(300);
        var (status, answer) = await shop.PredictAsync(new { instances = batch.Select(b => new { visit_id = JsonDocument.Parse(b.Key).RootElement[0].GetInt64() }) });
        status.ShouldBe(200, answer.ToString());
        answer.GetProperty("model").GetString().ShouldBe("buy");
        var predictions = answer.GetProperty("predictions").EnumerateArray().ToList();
        for (var i = 0; i < batch.Count; i++)
        {
            predictions[i].GetProperty("entity_key").GetRawText().ShouldBe(batch[i].Key);
            predictions[i].GetProperty("score").GetDouble().ShouldBe(batch[i].Score);
            predictions[i].GetProperty("probability").GetDouble().ShouldBe(batch[i].Probability);
            predictions[i].GetProperty("output").GetRawText().ShouldBe(batch[i].Output);
            predictions[i].GetProperty("missing").GetArrayLength().ShouldBe(0);
        }
        shop.Query("SELECT entity_key, score, feature_hash FROM prediction_log_online_rows ORDER BY entity_key", r => (r.GetString(0), r.GetDouble(1), r.GetInt64(2)))
            .ShouldBe(batch.Select(b => (b.Key, b.Score, b.Hash)));
        var ids = predictions.Select(p => p.GetProperty("prediction_id").GetInt64()).ToList();
        shop.Query("SELECT prediction_id FROM prediction_log_predictions WHERE request_id IS NULL AND run_id IS NULL ORDER BY prediction_id", r => r.GetInt64(0)).ShouldBe(ids.Order());
    }

    [Fact]
    public async Task No_request_however_malformed_finds_an_error_of_ours()
    {
        await using var shop = await ServedShop.StartAsync(finished.Directory);
        string[] seeds =
        [
            """{"instances":[{"visit_id":1}],"request_id":"r"}""", """{"instances":[{"visit_id":999999,"at":"2024-02-09T12:00:00Z","shop":"north","basket":80.5}]}""",
            """{"instances":[{"visit_id":1,"at":"2024-02-09T12:00:00Z","shop":"north","basket":80.5},{"visit_id":2}]}""", """{"instances":[{"visit_id":9223372036854775807,"shop":"\u0000","basket":3.5e38}]}""",
        ];
        (await Hosting.Security.FuzzTests.RunAsync(shop.Http, [("POST /api/models/{name}/predictions", "POST", "/api/models/buy/predictions")], "buy", seeds)).ShouldBeGreaterThan(50);
        var (status, answer) = await shop.PredictAsync(new { instances = new[] { new { visit_id = 1 } } });
        status.ShouldBe(200, answer.ToString());
    }

    [Fact]
    public async Task A_whole_row_is_scored_as_it_is_given()
    {
        await using var shop = await ServedShop.StartAsync(finished.Directory);
        var (status, given) = await shop.PredictAsync(new { instances = new[] { new { visit_id = 999_999, at = "2024-02-09T12:00:00Z", shop = "north", basket = 80.5 } } });
        status.ShouldBe(200, given.ToString());
        var row = shop.Query("SELECT inputs, features, event_time FROM prediction_log_online_rows", r => (Inputs: r.GetString(0), Features: r.GetString(1), Time: r.GetInt64(2))).Single();
        JsonDocument.Parse(row.Inputs).RootElement.GetProperty("basket").GetSingle().ShouldBe(80.5f);
        JsonDocument.Parse(row.Features).RootElement.GetProperty("basket").GetSingle().ShouldBe(80.5f);
        Timestamps.FromMicros(row.Time).ShouldBe(new DateTime(2024, 2, 9, 12, 0, 0, DateTimeKind.Utc));
    }

    [Fact]
    public async Task Nothing_from_after_the_business_clock_is_looked_at()
    {
        await using var shop = await ServedShop.StartAsync(finished.Directory);
        var (_, late) = await shop.PredictAsync(new { instances = new[] { new { visit_id = 1, at = "2030-01-01T00:00:00Z", shop = "north", basket = 50 } } });
        late.GetProperty("predictions")[0].GetProperty("event_time").GetString().ShouldBe("2024-02-10T00:00:00Z");
        late.GetProperty("predictions")[0].GetProperty("missing").GetArrayLength().ShouldBe(0);
        var (_, timeless) = await shop.PredictAsync(new { instances = new[] { new { visit_id = 1, shop = "north", basket = 50 } } });
        timeless.GetProperty("predictions")[0].GetProperty("score").GetDouble().ShouldBe(late.GetProperty("predictions")[0].GetProperty("score").GetDouble());
    }

    [Fact]
    public async Task Of_an_unknown_entity_every_feature_is_missing_and_the_answer_says_so()
    {
        await using var shop = await ServedShop.StartAsync(finished.Directory);
        var (status, answer) = await shop.PredictAsync(new { instances = new[] { new { visit_id = 777_777 } } });
        status.ShouldBe(200);
        answer.GetProperty("predictions")[0].GetProperty("missing").EnumerateArray().Select(m => m.GetString()).ShouldBe(["spine", "sales"]);
        shop.Query("SELECT features FROM prediction_log_online_rows", r => r.GetString(0)).Single().ShouldBe("""{"basket":null,"visits":null,"amount":null}""");
        var (_, stale) = await shop.PredictAsync(new { instances = new[] { new { visit_id = 1, at = "2024-01-01T00:00:00Z", shop = "nowhere", basket = 50 } } });
        stale.GetProperty("predictions")[0].GetProperty("missing").EnumerateArray().Select(m => m.GetString()).ShouldBe(["sales"]);
    }

    [Fact]
    public async Task A_request_id_is_answered_and_logged_once_however_often_and_at_once_it_is_asked()
    {
        await using var shop = await ServedShop.StartAsync(finished.Directory);
        var request = new { request_id = "order-17", instances = new[] { new { visit_id = 30_001 }, new { visit_id = 30_002 } } };
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => shop.PredictAsync(request)));
        answers.ShouldAllBe(a => a.Status == 200);
        answers.Select(a => a.Body.GetRawText()).Distinct().Count().ShouldBe(1);
        shop.Query("SELECT COUNT(*) FROM prediction_log_online_rows", r => r.GetInt64(0)).ShouldBe([2L]);
        var (status, reused) = await shop.PredictAsync(new { request_id = "order-17", instances = new[] { new { visit_id = 30_003 } } });
        status.ShouldBe(409);
        reused.GetProperty("detail").GetString()!.ShouldContain("order-17");
    }

    [Fact]
    public async Task A_shadow_scores_beside_the_champion_and_answers_nothing()
    {
        await using var shop = await ServedShop.StartAsync(finished.Directory, new() { ["AiWorkflows:Online:Challengers:buy:Shadow"] = "true" });
        await shop.AddVersionAsync();
        await ChallengeAsync(shop);
        var (_, answer) = await shop.PredictAsync(new { instances = new[] { new { visit_id = 30_001 } } });
        answer.GetProperty("version").GetInt32().ShouldBe(1);
        shop.Query("""
            SELECT b.role, b.version, r.answers FROM prediction_log_online_rows r JOIN prediction_log_batches b ON b.batch_id = r.batch_id ORDER BY b.role
            """, r => (r.GetString(0), r.GetInt32(1), r.IsDBNull(2) ? 0 : r.GetInt64(2))).ShouldBe(
            [("champion", 1, 0), ("shadow", 2, answer.GetProperty("predictions")[0].GetProperty("prediction_id").GetInt64())]);
    }

    [Fact]
    public async Task A_challenger_answers_its_share_of_the_entities_and_always_the_same_ones()
    {
        await using var shop = await ServedShop.StartAsync(finished.Directory, new() { ["AiWorkflows:Online:Challengers:buy:Share"] = "0.3" });
        await shop.AddVersionAsync();
        await ChallengeAsync(shop);
        var request = new { instances = Enumerable.Range(0, 1000).Select(i => new { visit_id = 5_000_000 + i, shop = "north", basket = 10 }) };
        var (_, first) = await shop.PredictAsync(request);
        var (_, second) = await shop.PredictAsync(request);
        var versions = first.GetProperty("predictions").EnumerateArray().Select(p => p.GetProperty("version").GetInt32()).ToList();
        versions.Count(v => v == 2).ShouldBeInRange(240, 360);
        second.GetProperty("predictions").EnumerateArray().Select(p => p.GetProperty("version").GetInt32()).ShouldBe(versions);
        first.GetProperty("version").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_model_shows_what_it_takes_with_an_example_that_works_when_it_is_pasted()
    {
        var shop = finished.Served;
        var shown = JsonDocument.Parse(await shop.Http.GetStringAsync("/api/models/buy", TestContext.Current.CancellationToken)).RootElement;
        shown.GetProperty("champion").GetProperty("version").GetInt32().ShouldBe(1);
        shown.GetProperty("instance").GetProperty("keys")[0].GetProperty("name").GetString().ShouldBe("visit_id");
        (await shop.PredictRawAsync(shown.GetProperty("example").GetRawText())).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Every_example_of_the_document_works_when_it_is_sent_as_it_stands()
    {
        await using var shop = await ServedShop.StartAsync(finished.Directory);
        var document = JsonDocument.Parse(await shop.Http.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken)).RootElement;
        var sent = new List<string>();
        foreach (var path in document.GetProperty("paths").EnumerateObject())
            foreach (var operation in path.Value.EnumerateObject().Where(o => o.Value.TryGetProperty("requestBody", out _)))
            {
                // The shop has no stream; StreamsApiTests sends the examples of those.
                if (path.Name.StartsWith("/api/streams/", StringComparison.Ordinal))
                    continue;
                var name = operation.Value.GetProperty("parameters").EnumerateArray().Single(p => p.GetProperty("name").GetString() == "name").GetProperty("example").GetString()!;
                var media = operation.Value.GetProperty("requestBody").GetProperty("content").GetProperty("application/json");
                foreach (var example in media.TryGetProperty("examples", out var several) ? several.EnumerateObject().Select(e => e.Value.GetProperty("value")).ToArray() : [media.GetProperty("example")])
                {
                    using var content = new StringContent(example.GetRawText(), System.Text.Encoding.UTF8, "application/json");
                    using var response = await shop.Http.PostAsync(path.Name.Replace("{name}", name, StringComparison.Ordinal), content, TestContext.Current.CancellationToken);
                    response.IsSuccessStatusCode.ShouldBeTrue($"{path.Name} {example}: {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
                    sent.Add(path.Name);
                }
            }
        sent.Order().ShouldBe(["/api/models/{name}/predictions", "/api/workflows/{name}/runs"]);

        // What is documented of the request is what is taken, and what is answered is what is documented.
        var schemas = document.GetProperty("components").GetProperty("schemas");
        var instance = schemas.GetProperty("buy-scoring-request").GetProperty("properties").GetProperty("instances").GetProperty("items");
        instance.GetProperty("required").EnumerateArray().Select(r => r.GetString()).ShouldBe(["visit_id"]);
        instance.GetProperty("properties").EnumerateObject().Select(p => $"{p.Name} {string.Concat(p.Value.GetProperty("type").GetRawText().Where(c => !char.IsWhiteSpace(c)))}")
            .ShouldBe(["visit_id \"integer\"", "shop \"string\"", """basket ["null","number"]""", "at \"string\""], ignoreOrder: true);
        var (_, answer) = await shop.PredictAsync(new { instances = new[] { new { visit_id = 1 } } });
        var documented = schemas.GetProperty("buy-scoring-answer").GetProperty("properties");
        answer.EnumerateObject().Select(p => p.Name).ShouldBe(documented.EnumerateObject().Select(p => p.Name));
        var prediction = documented.GetProperty("predictions").GetProperty("items").GetProperty("properties");
        answer.GetProperty("predictions")[0].EnumerateObject().Select(p => p.Name).ShouldBeSubsetOf(prediction.EnumerateObject().Select(p => p.Name).ToList());
        answer.GetProperty("predictions")[0].GetProperty("output").EnumerateObject().Select(p => p.Name).ShouldBe(prediction.GetProperty("output").GetProperty("properties").EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public async Task Before_anything_was_predicted_the_example_is_a_whole_row_and_works_too()
    {
        await using var copy = new ShopHost(copyOf: finished.Directory);
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(copy.DataDirectory, "aiworkflows.db")};Pooling=False;Foreign Keys=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "DELETE FROM prediction_log_prediction_rows";
            command.ExecuteNonQuery();
        }
        await using var shop = await ServedShop.StartAsync(copy.Directory);
        var example = JsonDocument.Parse(await shop.Http.GetStringAsync("/api/models/buy", TestContext.Current.CancellationToken)).RootElement.GetProperty("example");
        example.GetRawText().ShouldContain("\"basket\"");
        (await shop.PredictRawAsync(example.GetRawText())).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Explain_shows_what_an_online_prediction_was_made_from()
    {
        await using var shop = await ServedShop.StartAsync(finished.Directory);
        var (_, answer) = await shop.PredictAsync(new { request_id = "r1", instances = new object[] { new { visit_id = 5, at = "2024-02-05T10:00:00Z", shop = "south", basket = 12.5 }, new { visit_id = 888_888 } } });
        var ids = answer.GetProperty("predictions").EnumerateArray().Select(p => p.GetProperty("prediction_id").GetInt64()).ToList();
        var explained = await shop.CommandAsync("predictions", "explain", $"{ids[0]}");
        explained.Code.ShouldBe(0, explained.ToString());
        explained.Out.ShouldSatisfyAllConditions(
            o => o.ShouldContain("12.5"), o => o.ShouldContain("shop_sales.amount1d"), o => o.ShouldContain("online by buy-scoring as champion"), o => o.ShouldContain("request r1"));
        (await shop.CommandAsync("predictions", "explain", $"{ids[1]}")).Out.ShouldContain("Nothing was known about the entity");
        var listed = JsonDocument.Parse((await shop.CommandAsync("predictions", "list", "--json", "--limit", "3")).Out).RootElement;
        listed.EnumerateArray().Take(2).Select(p => p.GetProperty("prediction_id").GetInt64()).ShouldBe(ids.OrderDescending());
    }

    private static Task ChallengeAsync(ServedShop shop) => shop.Services.GetRequiredService<IModelRegistry>()
        .SetAliasAsync(new("buy", "challenger", 2, "test", "to compare"), TestContext.Current.CancellationToken)
        .ContinueWith(_ => Task.Delay(TimeSpan.FromSeconds(1.5)), TaskScheduler.Default).Unwrap();
}
