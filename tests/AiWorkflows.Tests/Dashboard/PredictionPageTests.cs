using System.Net;
using System.Text.RegularExpressions;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Dashboard;

public sealed partial class PredictionPageTests
{
    private static readonly DateTime Day = DashboardSeed.Clock.Date;

    [Fact]
    public async Task Without_a_model_the_page_says_what_will_fill_it()
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.CatalogOf());
        using var client = new HttpClient();
        (await client.GetStringAsync(host.Url + "/hangfire/predictions")).ShouldContain("No model has been registered yet.");
    }

    [Fact]
    public async Task The_list_goes_back_through_large_and_small_batches_without_a_gap_or_a_double()
    {
        var random = new Random(20);
        await using var host = await FilledAsync(async tx =>
        {
            for (var batch = 1; batch <= 9; batch++)
                await PredictionSeed.BatchAsync(tx, batch, Day.AddDays(batch * 7 % 9), TimeSpan.FromDays(1), batch % 3 == 0 ? 230 : random.Next(0, 30));
        });
        // Windows in order of time are not in order of publication here.
        var expected = await IdsAsync(host, "SELECT r.batch_id * 4294967296 + r.ordinal FROM {prediction_log.prediction_rows} r JOIN {prediction_log.batches} b ON b.batch_id = r.batch_id ORDER BY b.window_from DESC, r.ordinal DESC");
        (await WalkAsync(host, "/predictions?model=flight-delay")).ShouldBe(expected);
    }

    [Fact]
    public async Task What_later_batches_have_replaced_is_not_listed()
    {
        await using var host = await FilledAsync(async tx =>
        {
            await PredictionSeed.BatchAsync(tx, 1, Day, TimeSpan.FromDays(2), 40);
            await PredictionSeed.BatchAsync(tx, 2, Day, TimeSpan.FromDays(1), 20);
            await PredictionSeed.SupersedeAsync(tx, 1, 2, Day, TimeSpan.FromDays(1));
            await PredictionSeed.BatchAsync(tx, 3, Day.AddDays(5), TimeSpan.FromDays(1), 20);
            await PredictionSeed.BatchAsync(tx, 4, Day.AddDays(5), TimeSpan.FromDays(1), 20);
            await PredictionSeed.SupersedeAsync(tx, 3, 4, Day.AddDays(5), TimeSpan.FromDays(1));
        });
        var expected = await IdsAsync(host, """
            SELECT r.batch_id * 4294967296 + r.ordinal FROM {prediction_log.prediction_rows} r JOIN {prediction_log.batches} b ON b.batch_id = r.batch_id
            WHERE NOT EXISTS (SELECT 1 FROM {prediction_log.superseded} x WHERE x.batch_id = r.batch_id AND x.window_from <= r.event_time AND x.window_to > r.event_time)
            """);
        (await WalkAsync(host, "/predictions")).ShouldBe(expected, ignoreOrder: true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(129)]
    [InlineData(20_000)]
    public async Task The_place_of_a_time_in_a_batch_is_found_in_few_steps(int rows)
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.CatalogOf());
        // Several rows a second, and seconds without any.
        var random = new Random(rows);
        var times = Enumerable.Range(0, rows).Select(_ => Day.AddSeconds(random.Next(rows / 2 + 1) * 3)).Order().ToArray();
        await host.Database.WriteAsync(async tx =>
        {
            for (var i = 0; i < rows; i++)
                await tx.ExecuteAsync("INSERT INTO {prediction_log.prediction_rows} (batch_id, ordinal, entity_key, event_time, output, feature_hash) VALUES (5, @i, '[]', @at, '{}', 0)", new { i, at = (Utc)times[i] });
        }, CancellationToken.None, durable: false);
        var queries = host.Services.GetRequiredService<DashboardQueries>();
        foreach (var time in Enumerable.Range(0, 40).Select(_ => Day.AddSeconds(random.Next(-5, rows * 2 + 5))).Concat([Day.AddSeconds(-1), Day.AddYears(1)]))
        {
            var before = host.Database.Activity.Statements;
            (await queries.OrdinalAtAsync(5, rows, time, CancellationToken.None)).ShouldBe(times.Count(t => t < time));
            (host.Database.Activity.Statements - before).ShouldBeLessThanOrEqualTo(3);
        }
    }

    [Fact]
    public async Task A_search_by_time_gives_what_lies_in_it()
    {
        await using var host = await FilledAsync(async tx =>
        {
            await PredictionSeed.BatchAsync(tx, 1, Day, TimeSpan.FromDays(1), 300);
            await PredictionSeed.BatchAsync(tx, 2, Day.AddDays(1), TimeSpan.FromDays(1), 300);
        });
        var expected = await IdsAsync(host, "SELECT batch_id * 4294967296 + ordinal FROM {prediction_log.prediction_rows} WHERE event_time >= @from AND event_time < @to ORDER BY event_time DESC",
            new { from = (Utc)Day.AddHours(20), to = (Utc)Day.AddHours(30) });
        (await WalkAsync(host, $"/predictions?from={Day:yyyy-MM-dd}+20:00&to={Day.AddDays(1):yyyy-MM-dd}+06:00")).ShouldBe(expected);
    }

    [Fact]
    public async Task A_key_finds_what_was_said_about_it_in_batches_and_online()
    {
        await using var host = await FilledAsync(async tx =>
        {
            await PredictionSeed.BatchAsync(tx, 1, Day, TimeSpan.FromDays(1), 30);
            await PredictionSeed.BatchAsync(tx, 2, Day.AddDays(1), TimeSpan.FromDays(1), 30);
            await PredictionSeed.OnlineAsync(tx, 3, Day, 90);
        });
        (await WalkAsync(host, "/predictions?key=7")).ShouldBe([(2L << 32) + 7, (1L << 32) + 7]);
        (await WalkAsync(host, "/predictions?key=%5B7%5D")).ShouldBe([(2L << 32) + 7, (1L << 32) + 7]);
        (await WalkAsync(host, "/predictions?key=online+8&made=online")).ShouldBe([(3L << 32) + 8]);
        (await WalkAsync(host, "/predictions?made=online")).ShouldBe(Enumerable.Range(0, 90).Select(i => (3L << 32) + i).Reverse());
    }

    [Fact]
    public async Task The_histogram_adds_up_what_the_batches_counted()
    {
        await using var host = await FilledAsync(async tx =>
        {
            await PredictionSeed.BatchAsync(tx, 1, Day, TimeSpan.FromDays(1), 3);
            await PredictionSeed.BatchAsync(tx, 2, Day.AddDays(1), TimeSpan.FromDays(1), 3);
            await PredictionSeed.BatchAsync(tx, 3, Day.AddDays(2), TimeSpan.FromDays(1), 3, bins: """{"from":-8,"to":8,"counts":[7]}""");
            await PredictionSeed.MetricAsync(tx, Day, 0.77, 200, 200);
            await PredictionSeed.MetricAsync(tx, Day.AddDays(1), 0.75, 200, 100);
        });
        using var client = new HttpClient();
        var html = WebUtility.HtmlDecode(await client.GetStringAsync(host.Url + "/hangfire/predictions?version=v12"));
        html.ShouldContain("Probabilities in 20 bins, most between 0.10 and 0.15.");
        html.ShouldContain("0.10 to 0.15\n60 predictions (30.0%)");
        html.ShouldContain("1 batch with another range of scores left out.");
        html.ShouldContain("Live AUC from 0.750 to 0.770 over 2 days.");
        html.ShouldContain("is-s1est");
        html.ShouldContain("v12: AUC 0.750, 200 predictions, 50% with outcome");
        (await client.GetStringAsync(host.Url + "/hangfire/predictions")).ShouldNotContain("<b>yes");
    }

    [Fact]
    public async Task A_prediction_has_an_address_and_says_why_its_values_cannot_be_shown()
    {
        await using var host = await FilledAsync(async tx =>
        {
            await PredictionSeed.BatchAsync(tx, 1, Day, TimeSpan.FromDays(1), 3);
            await PredictionSeed.OnlineAsync(tx, 2, Day, 3);
        });
        using var client = new HttpClient();
        var html = await client.GetStringAsync(host.Url + $"/hangfire/predictions/{(1L << 32) + 2}");
        html.ShouldContain("this program does not define view delay v1 any more");
        html.ShouldContain("/hangfire/models/flight-delay?version=12");
        (await client.GetStringAsync(host.Url + $"/hangfire/predictions/{(2L << 32) + 2}")).ShouldContain("request req-2-2");
        foreach (var id in new[] { "5", "9223372036854775807", "9999999999999999999" })
            (await client.GetAsync(host.Url + "/hangfire/predictions/" + id)).StatusCode.ShouldBe(HttpStatusCode.NotFound, id);
    }

    [Theory]
    [InlineData("/predictions?model=flight-dealy", "did you mean flight-delay?")]
    [InlineData("/predictions?key=[7", "is no JSON array")]
    [InlineData("/predictions?from=yesterday", "is no time")]
    [InlineData("/predictions?version=last", "is no version")]
    public async Task A_wrong_search_says_what_is_wrong(string path, string message)
    {
        await using var host = await FilledAsync(_ => Task.CompletedTask);
        using var client = new HttpClient();
        var answer = await client.GetAsync(host.Url + "/hangfire" + path);
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await answer.Content.ReadAsStringAsync()).ShouldContain(message);
    }

    private static async Task<DashboardHost> FilledAsync(Func<WriteTransaction, Task> fill)
    {
        var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock);
        await DashboardSeed.FillAsync(host);
        await host.Database.WriteAsync(fill, CancellationToken.None);
        return host;
    }

    private static async Task<IReadOnlyList<long>> IdsAsync(DashboardHost host, string sql, object? parameters = null) => await host.Database.ReadAsync<long>(sql, parameters, CancellationToken.None);

    private static async Task<List<long>> WalkAsync(DashboardHost host, string path)
    {
        using var client = new HttpClient();
        var ids = new List<long>();
        for (var next = "/hangfire" + path; next is not null;)
        {
            var html = await client.GetStringAsync(host.Url + next);
            ids.AddRange(Rows().Matches(html).Select(match => long.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)));
            next = Older().Match(html) is { Success: true } older ? WebUtility.HtmlDecode(older.Groups[1].Value) : null;
        }
        return ids;
    }

    [GeneratedRegex("<th scope=\"row\" class=\"aw-num\"><a class=\"\" href=\"/hangfire/predictions/([0-9]+)\"")]
    private static partial Regex Rows();

    [GeneratedRegex("href=\"([^\"]+)\">Older</a>")]
    private static partial Regex Older();
}
