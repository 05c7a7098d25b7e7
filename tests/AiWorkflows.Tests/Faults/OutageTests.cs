using System.Diagnostics;
using System.Net;
using System.Text.Json;
using AiWorkflows.Storage;
using AiWorkflows.Tests.Cli;
using AiWorkflows.Tests.Inference.Online;
using AiWorkflows.Tests.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Faults;

/// <summary>
/// A database that is away while clients ask for predictions: they are told to come again, the host says that it is not ready and why, and when the database
/// is back both go on without a restart, with nothing lost and nothing twice.
/// </summary>
public sealed class OutageTests(FinishedShop finished) : IClassFixture<FinishedShop>
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_that_was_moved_away_is_not_written_to_and_comes_back_without_a_restart()
    {
        await using var shop = await ServedShop.StartAsync(finished.Host.Directory);
        (await AskAsync(shop, "before")).Status.ShouldBe(200);
        var file = shop.Services.GetRequiredService<StoreDatabase>().Location;
        File.Move(file, file + ".away");

        await RefusedAsync(shop, "during");
        (await ReadyAsync(shop)).ShouldBe((503, "the store takes no writes"));
        // Another file in its place is not the one that predictions were logged in.
        File.Copy(file + ".away", file);
        await RefusedAsync(shop, "during");
        File.Move(file + ".away", file, overwrite: true);

        (await ReadyAsync(shop)).Status.ShouldBe(200);
        (await AskAsync(shop, "during")).Status.ShouldBe(200);
        shop.Query("SELECT request_id FROM prediction_log_online_rows ORDER BY request_id", r => r.GetString(0)).ShouldBe(["before", "during"]);
    }

    [Fact]
    public async Task While_another_process_has_the_file_locked_clients_are_told_to_come_again()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        await using var shop = await ServedShop.StartAsync(finished.Host.Directory);
        await OutagesAsync(shop, outages: 3, "the store takes no writes", async () =>
        {
            await using var other = new SqliteConnection($"Data Source={shop.Services.GetRequiredService<StoreDatabase>().Location};Pooling=False");
            await other.OpenAsync(Ct);
            await using var transaction = other.BeginTransaction();
            await Task.Delay(TimeSpan.FromSeconds(14), Ct);
            await WhileAwayAsync(shop, "the store takes no writes");
        });
    }

    [Fact]
    public async Task While_the_file_is_moved_away_again_and_again_clients_are_told_to_come_again()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        await using var shop = await ServedShop.StartAsync(finished.Host.Directory);
        var file = shop.Services.GetRequiredService<StoreDatabase>().Location;
        await OutagesAsync(shop, outages: 5, "the store takes no writes", async () =>
        {
            File.Move(file, file + ".away");
            await Task.Delay(TimeSpan.FromSeconds(1), Ct);
            await WhileAwayAsync(shop, "the store takes no writes");
            File.Move(file + ".away", file);
        });
    }

    [Fact]
    public async Task While_the_server_is_away_clients_are_told_to_come_again()
    {
        await using var files = new ShopHost();
        await using var proxy = new TdsProxy(SqlServerTestDatabase.ConnectionString(await SqlServerTestDatabase.CreateAsync()));
        var settings = new Dictionary<string, string?> { ["AiWorkflows:Engine"] = "SqlServer", ["AiWorkflows:ConnectionString"] = proxy.ConnectionString };
        foreach (var (key, value) in settings)
            files.Settings[key] = value;
        var run = await files.RunAsync("run", "shop");
        run.Code.ShouldBe(0, run.ToString());
        await using var shop = await ServedShop.StartAsync(files.Directory, settings);
        await OutagesAsync(shop, outages: FaultTests.AtLength ? 5 : 1, "the store does not answer", async () =>
        {
            proxy.GoDown();
            await Task.Delay(TimeSpan.FromSeconds(6), Ct);
            await WhileAwayAsync(shop, "the store does not answer");
            proxy.ComeBack();
        });
    }

    private static async Task OutagesAsync(ServedShop shop, int outages, string why, Func<Task> outage)
    {
        var watch = Stopwatch.StartNew();
        await using var clients = new PredictionClients(shop.Http.BaseAddress!, "/api/models/buy/predictions", Visit, clients: 6);
        var recoveries = new List<TimeSpan>();
        for (var i = 0; i < outages; i++)
        {
            await MoreAnswersAsync(clients, 200);
            var before = clients.Refused;
            await outage();
            clients.Refused.ShouldBeGreaterThan(before);
            recoveries.Add(await MoreAnswersAsync(clients, 50));
            (await ReadyAsync(shop)).Status.ShouldBe(200);
        }
        await clients.StopAsync();
        await clients.CheckLogAsync(shop.Services.GetRequiredService<StoreDatabase>());
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"{outages} outages ({why}), {clients.Answers.Count} answers, {clients.Refused} requests told to come again, {clients.Unanswered} broken off, 50 answers at most {recoveries.Max().TotalSeconds:F1} s after its return, {watch.Elapsed.TotalSeconds:0} s"));
        clients.Unanswered.ShouldBe(0);
    }

    private static async Task WhileAwayAsync(ServedShop shop, string why)
    {
        await RefusedAsync(shop, "while-away");
        (await ReadyAsync(shop)).ShouldBe((503, why));
        (await shop.Http.GetAsync("/health/live", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        // Nobody was told so, so nobody may find it.
        (await AskAsync(shop, "while-away")).Status.ShouldBe(503);
    }

    /// <returns>How long they took.</returns>
    private static async Task<TimeSpan> MoreAnswersAsync(PredictionClients clients, int count)
    {
        var watch = Stopwatch.StartNew();
        for (var enough = clients.Answers.Count + count; clients.Answers.Count < enough; await Task.Delay(20, Ct))
            watch.Elapsed.ShouldBeLessThan(TimeSpan.FromMinutes(2));
        return watch.Elapsed;
    }

    private static object Visit(Random random) => random.Next(3) switch
    {
        0 => new { visit_id = random.Next(30) * 1000 + random.Next(40) },
        1 => new { visit_id = random.Next(1_000_000), shop = random.Next(2) == 0 ? "north" : "south", basket = random.Next(10_000) / 100f },
        _ => new { visit_id = 500_000 + random.Next(1000) },
    };

    private static Task<(int Status, JsonElement Body)> AskAsync(ServedShop shop, string id) => shop.PredictAsync(new { request_id = id, instances = new[] { new { visit_id = 30_001 } } });

    private static async Task RefusedAsync(ServedShop shop, string id)
    {
        var watch = Stopwatch.StartNew();
        using var response = await shop.Http.PostAsync("/api/models/buy/predictions", System.Net.Http.Json.JsonContent.Create(new { request_id = id, instances = new[] { new { visit_id = 30_001 } } }), Ct);
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        response.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.Zero);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Ct)).RootElement;
        problem.GetProperty("detail").GetString()!.ShouldNotContain("aiworkflows.db");
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(15));
    }

    private static async Task<(int Status, string? Reason)> ReadyAsync(ServedShop shop)
    {
        using var response = await shop.Http.GetAsync("/health/ready", Ct);
        var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Ct)).RootElement;
        return ((int)response.StatusCode, body.TryGetProperty("reason", out var reason) ? reason.GetString() : null);
    }
}
