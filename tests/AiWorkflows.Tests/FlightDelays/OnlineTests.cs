using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AiWorkflows.Tests.Docs;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Tests.Flights;

[Collection(FlightDelaysCollection.Name)]
public sealed partial class OnlineTests(FlightDelaysRun run)
{
    [Fact]
    public async Task Ten_thousand_flights_get_the_same_scores_one_by_one_as_in_the_batch()
    {
        using var folder = new TempFolder();
        using var host = Serve(folder);
        try
        {
            using var http = new HttpClient { BaseAddress = await AddressAsync(host), Timeout = TimeSpan.FromMinutes(2) };
            var batch = run.Query("""
                SELECT r.entity_key, r.score, r.probability, r.feature_hash FROM prediction_log_prediction_rows r
                JOIN prediction_log_batches b ON b.batch_id = r.batch_id WHERE b.state = 'published' AND r.ordinal % 12 = 0 ORDER BY r.ordinal LIMIT 10000
                """, r => (Key: r.GetString(0), Score: r.GetDouble(1), Probability: r.GetDouble(2), Hash: r.GetInt64(3))).ToList();
            batch.Count.ShouldBe(10_000);
            var watch = System.Diagnostics.Stopwatch.StartNew();
            foreach (var chunk in batch.Chunk(1000))
            {
                using var response = await http.PostAsJsonAsync("/api/models/flight-delay/predictions", new { instances = chunk.Select(c => new { flight_id = JsonDocument.Parse(c.Key).RootElement[0].GetInt64() }) });
                var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
                ((int)response.StatusCode).ShouldBe(200, answer.ToString());
                answer.GetProperty("predictions").EnumerateArray().Select(p => (p.GetProperty("score").GetDouble(), p.GetProperty("probability").GetDouble()))
                    .ShouldBe(chunk.Select(c => (c.Score, c.Probability)));
            }
            TestContext.Current.TestOutputHelper?.WriteLine($"{watch.Elapsed.TotalMilliseconds / 10_000:F3} ms a flight");
            Hashes(folder.File("data/aiworkflows.db")).ShouldBe(batch.Select(b => (b.Key, b.Hash)).Order());
        }
        finally
        {
            host.Kill();
            await host.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task What_the_guide_shows_works_as_it_stands()
    {
        var ct = TestContext.Current.CancellationToken;
        await Snippets.IsShownAsync("online.md", "Docs/DelayClient.cs", "client");
        var guide = await File.ReadAllTextAsync(Path.Combine(Snippets.Repository, "docs", "online.md"), ct);
        using var folder = new TempFolder();
        using var host = Serve(folder);
        try
        {
            var address = await AddressAsync(host);
            // Its commands, but for the port.
            var commands = await Snippets.CommandsAsync("online.md", "curl");
            var printed = new List<string>();
            foreach (var command in commands.Split('\n'))
                printed.Add(await ShellAsync(command.Replace("http://localhost:5000", address.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)));
            printed.Count.ShouldBeGreaterThanOrEqualTo(2);
            JsonNode.Parse(printed[0])!["example"]!["instances"]!.AsArray().Count.ShouldBe(1);
            // Its answer, but for the prediction's id.
            var shown = JsonNode.Parse(guide[(guide.IndexOf("```json\n", StringComparison.Ordinal) + 8)..guide.IndexOf("\n```\n", StringComparison.Ordinal)])!;
            var answered = JsonNode.Parse(printed[1])!;
            var prediction = answered["predictions"]![0]!;
            shown["predictions"]![0]!["prediction_id"] = prediction["prediction_id"]!.GetValue<long>();
            answered.ToJsonString().ShouldBe(shown.ToJsonString());

            using var http = new HttpClient { BaseAddress = address };
            var client = new DelayClient(http);
            var flight = prediction["entity_key"]![0]!.GetValue<long>();
            var first = await client.PredictAsync(flight, "order-1", ct);
            first.Probability.ShouldBe(prediction["probability"]!.GetValue<double>());
            (await client.PredictAsync(flight, "order-1", ct)).PredictionId.ShouldBe(first.PredictionId);
            (await client.PredictAsync(flight, "order-2", ct)).PredictionId.ShouldNotBe(first.PredictionId);
            (await Should.ThrowAsync<HttpRequestException>(() => client.PredictAsync(flight, "", ct))).Message.ShouldContain("request_id");
        }
        finally
        {
            host.Kill();
            await host.WaitForExitAsync(ct);
        }
    }

    private System.Diagnostics.Process Serve(TempFolder folder)
    {
        Directory.CreateDirectory(folder.File("data"));
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(run.DatabasePath)!, "aiworkflows.db*"))
            File.Copy(file, folder.File($"data/{Path.GetFileName(file)}"));
        return FlightDelaysProcess.Start(folder.Path, "serve", "--urls", "http://127.0.0.1:0");
    }

    private static async Task<string> ShellAsync(string command)
    {
        var start = new System.Diagnostics.ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(command);
        using var process = System.Diagnostics.Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, $"{command}\n{await error}");
        return await output;
    }

    private static List<(string, long)> Hashes(string database)
    {
        using var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT entity_key, feature_hash FROM prediction_log_online_rows";
        using var reader = command.ExecuteReader();
        var rows = new List<(string, long)>();
        while (reader.Read())
            rows.Add((reader.GetString(0), reader.GetInt64(1)));
        rows.Sort();
        return rows;
    }

    private static async Task<Uri> AddressAsync(System.Diagnostics.Process host)
    {
        while (await host.StandardOutput.ReadLineAsync() is { } line)
            if (Address().Match(line) is { Success: true } match)
                return new Uri(match.Value);
        throw new InvalidOperationException($"It did not serve: {await host.StandardError.ReadToEndAsync()}");
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Address();
}
