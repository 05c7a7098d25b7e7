using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using AiWorkflows.Features;
using AiWorkflows.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Streaming;

/// <summary>Events over HTTP, and what people see of a stream.</summary>
public sealed class StreamsApiTests : IDisposable
{
    private const string Path = "/api/streams/movements/events";
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Events_are_taken_as_an_array_or_line_by_line_and_count_within_a_second()
    {
        await using var host = await StartAsync();
        (await PushAsync(host, """[{"airport":"LHR","id":1,"at":"2024-03-01T00:03:00Z","delay":5,"carrier":"BA"},{"airport":"LHR","id":2,"at":"2024-03-01T01:04:00+01:00"}]"""))
            .ShouldBe((HttpStatusCode.OK, """{"accepted":2,"repeated":false}"""));
        (await PushAsync(host, "{\"airport\":\"LHR\",\"id\":3,\"at\":\"2024-03-01T00:05:00Z\",\"delay\":null}\n\n{\"airport\":\"CDG\",\"id\":4,\"at\":\"2024-03-01T00:05:00.123456Z\"}\r\n", "application/x-ndjson"))
            .ShouldBe((HttpStatusCode.OK, """{"accepted":2,"repeated":false}"""));
        await AllPublishedAsync(host);

        var rows = await RowsAsync<Movement>(host);
        rows.Select(r => (r.Airport, r.Id, r.Carrier, double.IsNaN(r.Delay))).ShouldBe([("LHR", 1, "BA", false), ("LHR", 2, null, true), ("CDG", 4, null, true), ("LHR", 3, null, true)], ignoreOrder: true);
        (await RowsAsync<Pulse>(host)).Single(p => p.Airport == "LHR").LastTwo.ShouldBe(3);
        (await RowsAsync<Queue>(host)).Where(p => p.Airport == "LHR").Select(q => q.Count).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task The_document_has_an_example_of_each_stream_that_is_taken_as_it_stands_and_line_by_line()
    {
        await using var host = await ServedHost.StartAsync(_directory.FullName, settings: [], define: ai =>
        {
            Define(ai);
            ai.Stream<Letter>("letters", s => s.PartitionBy(e => e.Id, 1).Feed<LetterPipeline>());
        });
        var operation = (await host.JsonAsync(HttpMethod.Get, "/openapi/v1.json", 200)).GetProperty("paths").GetProperty("/api/streams/{name}/events").GetProperty("post");
        var examples = operation.GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("examples").EnumerateObject().ToArray();
        examples.Select(e => e.Name).ShouldBe(["movements", "letters"]);
        foreach (var example in examples)
        {
            var address = $"/api/streams/{example.Name}/events";
            var events = example.Value.GetProperty("value");
            (await PushAsync(host, events.GetRawText(), address: address)).ShouldBe((HttpStatusCode.OK, $$"""{"accepted":{{events.GetArrayLength()}},"repeated":false}"""));
            var lines = string.Join('\n', events.EnumerateArray().Select(e => JsonSerializer.Serialize(e)));
            (await PushAsync(host, lines, "application/x-ndjson", address: address)).Status.ShouldBe(HttpStatusCode.OK);
        }
    }

    /// <summary>A column of each kind that an example has to show.</summary>
    [FeatureGroup("letters")]
    public sealed record Letter(
        [property: EntityKey] Guid Id, [property: EventTime] DateTime At, Urgency Urgency, bool Registered, decimal Postage, DateOnly? Due, float Weight, byte Pages, string Text);

    public enum Urgency { Whenever, Soon }

    [FeatureGroup("letter_counts", Online = true)]
    public sealed record LetterCount([property: EntityKey] Guid Id, [property: EventTime] DateTime At, int Count);

    public sealed class LetterPipeline : StreamFeaturePipeline<Letter, LetterCount>
    {
        protected internal override void Define(StreamBuilder<Letter, LetterCount> events) => events.By(e => e.Id);

        protected internal override LetterCount Apply(LetterCount? last, Letter e) => new(e.Id, e.At, (last?.Count ?? 0) + 1);
    }

    [Fact]
    public async Task The_same_request_again_brings_nothing_new()
    {
        await using var host = await StartAsync();
        const string body = """[{"airport":"LHR","id":1,"at":"2024-03-01T00:03:00Z"}]""";
        (await PushAsync(host, body, key: "one")).ShouldBe((HttpStatusCode.OK, """{"accepted":1,"repeated":false}"""));
        (await PushAsync(host, body, key: "one")).ShouldBe((HttpStatusCode.OK, """{"accepted":1,"repeated":true}"""));
        (await PushAsync(host, body, key: "two")).ShouldBe((HttpStatusCode.OK, """{"accepted":1,"repeated":false}"""));
        await AllPublishedAsync(host);
        var shown = await host.JsonAsync(HttpMethod.Get, "/api/streams/movements", 200);
        (shown.GetProperty("events").GetInt64(), shown.GetProperty("duplicates").GetInt64()).ShouldBe((2, 1));
    }

    [Theory]
    [InlineData("""[{"airport":"LHR","id":1,"at":"2024-03-01T00:03:00Z"},{"airport":"LHR","id":"x","at":"2024-03-01T00:03:00Z"}]""", "$[1].id", "expected is a whole number")]
    [InlineData("""[{"airport":"LHR","id":1}]""", "$[0].at", "it is missing")]
    [InlineData("""[{"airport":"LHR","id":1,"at":"2024-03-01T00:03:00"}]""", "$[0].at", "a time with its offset")]
    [InlineData("""[{"airport":"LHR","id":1,"at":"2024-03-01T00:03:00Z","delya":1}]""", "$[0].delya", "did you mean delay?")]
    [InlineData("""[{"airport":"LHR ","id":1,"at":"2024-03-01T00:03:00Z"}]""", "$[0]", "ends with a space")]
    [InlineData("""[7]""", "$[0]", "it is no object")]
    [InlineData("""{"airport":"LHR"}""", "$", "The body is no array")]
    public async Task Of_a_request_with_a_mistake_nothing_is_taken_and_the_answer_names_event_and_field(string body, string field, string problem)
    {
        await using var host = await StartAsync();
        var (status, text) = await PushAsync(host, body);
        status.ShouldBe(HttpStatusCode.BadRequest, text);
        var answer = JsonDocument.Parse(text).RootElement;
        answer.GetProperty("field").GetString().ShouldBe(field);
        answer.GetProperty("detail").GetString()!.ShouldContain(problem);
        (await host.JsonAsync(HttpMethod.Get, "/api/streams/movements", 200)).GetProperty("lag_events").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task Lines_that_are_no_json_other_types_and_unknown_streams_are_refused()
    {
        await using var host = await StartAsync();
        (await PushAsync(host, "{\"airport\":\"LHR\",\"id\":1,\"at\":\"2024-03-01T00:03:00Z\"}\n{", "application/x-ndjson")).Text!.ShouldContain("line 2");
        (await PushAsync(host, "airport=LHR", "text/plain")).Status.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        using var unknown = await host.Http.PostAsync("/api/streams/movement/events", new StringContent("[]", Encoding.UTF8, "application/json"));
        unknown.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await unknown.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("did you mean movements?");
        (await host.JsonAsync(HttpMethod.Get, "/api/streams/nothing", 404)).GetProperty("detail").GetString()!.ShouldContain("movements");
    }

    [Fact]
    public async Task A_stream_that_is_far_behind_takes_nothing_more()
    {
        await using var host = await StartAsync(new() { ["AiWorkflows:Streams:MaxBehind"] = "3" });
        var store = host.Services.GetRequiredService<AiWorkflows.Streaming.IStreamStore>();
        // Nobody can read it, so it waits for ever.
        await store.AppendAsync([new("movements", null, [.. Enumerable.Range(0, 5).Select(_ => (0, "[]"))])], default);
        await host.Services.GetRequiredService<AiWorkflows.Storage.StoreDatabase>().WriteAsync(tx => tx.ExecuteAsync("UPDATE {workflows.stream_heads} SET head_offset = head_offset + 100"), default);
        (HttpStatusCode Status, string Text) answer = default;
        for (var i = 0; i < 100 && answer.Status != HttpStatusCode.ServiceUnavailable; i++)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
            answer = await PushAsync(host, """[{"airport":"LHR","id":1,"at":"2024-03-01T00:03:00Z"}]""");
        }
        answer.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Text!.ShouldContain("behind");
    }

    [Fact]
    public async Task Late_events_are_counted_and_everything_survives_a_stop()
    {
        await using (var host = await StartAsync())
        {
            await PushAsync(host, """[{"airport":"LHR","id":1,"at":"2024-03-01T03:00:00Z"},{"airport":"LHR","id":2,"at":"2024-03-01T01:00:00Z"}]""");
            await AllPublishedAsync(host);
            (await host.StopAsync()).ShouldBe(0);
        }
        await using var again = await StartAsync();
        await PushAsync(again, """[{"airport":"LHR","id":1,"at":"2024-03-01T03:00:00Z"},{"airport":"LHR","id":3,"at":"2024-03-01T02:59:00Z"}]""");
        await AllPublishedAsync(again);
        (await RowsAsync<Queue>(again)).Where(q => q.Airport == "LHR").Select(q => q.Count).ShouldBe([1, 2]);
        var shown = await again.JsonAsync(HttpMethod.Get, "/api/streams/movements", 200);
        (shown.GetProperty("events").GetInt64(), shown.GetProperty("late").GetInt64(), shown.GetProperty("duplicates").GetInt64()).ShouldBe((4, 1, 1));
        shown.GetProperty("watermark").GetString().ShouldBe("2024-03-01T02:35:00Z");
        shown.GetProperty("partitions").GetArrayLength().ShouldBe(2);
        var page = await again.Http.GetStringAsync("/hangfire/streams", TestContext.Current.CancellationToken);
        page.ShouldContain("Partitions of movements");
        page.ShouldContain("queue");
        shown.GetProperty("partitions").EnumerateArray().ShouldAllBe(p => p.GetProperty("host").GetString() != null);
    }

    [Fact]
    public async Task The_command_line_lists_shows_and_replays()
    {
        var file = System.IO.Path.Combine(_directory.FullName, "events.ndjson");
        await File.WriteAllLinesAsync(file, Enumerable.Range(0, 50).Select(i => $"{{\"airport\":\"LHR\",\"id\":{i},\"at\":\"2024-03-01T00:{i:00}:00Z\"}}"), TestContext.Current.CancellationToken);
        (await RunAsync("streams", "replay", "movements", file)).ShouldBe((0, "50 events are in stream movements. `streams show movements` tells how far it is.\n"));
        (await RunAsync("streams", "replay", "movements", file)).Out.ShouldContain("0 events are in stream movements; 50 had been brought before");
        await using (var host = await StartAsync())
            await AllPublishedAsync(host);
        (await RunAsync("streams", "list")).Out.ShouldContain("movements  stream_events");
        var shown = (await RunAsync("streams", "show", "movements", "--json")).Out;
        var json = JsonDocument.Parse(shown).RootElement;
        (json.GetProperty("events").GetInt64(), json.GetProperty("lag_events").GetInt64()).ShouldBe((50, 0));
        (await RunAsync("streams", "show", "movements")).Out.ShouldContain("Partitions");
        (await RunAsync("streams", "show", "movement")).Code.ShouldBe(2);
        (await RunAsync("streams", "replay", "movements", "nowhere")).Code.ShouldBe(2);
    }

    private async Task<(int Code, string Out)> RunAsync(params string[] args)
    {
        await using var host = ServedHost.Build(_directory.FullName, settings: [], define: Define);
        return (await host.RunAsync(args), host.Out.ReplaceLineEndings("\n"));
    }

    private static void Define(AiWorkflowsBuilder ai) => ai.Stream<Movement>("movements", s => StreamOracleTests.Define(s, 2));

    private Task<ServedHost> StartAsync(Dictionary<string, string?>? settings = null) => ServedHost.StartAsync(_directory.FullName, settings: settings ?? [], define: Define);

    private static async Task<(HttpStatusCode Status, string Text)> PushAsync(ServedHost host, string body, string type = "application/json", string? key = null, string address = Path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent(body, Encoding.UTF8) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        using var response = await host.Http.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task AllPublishedAsync(ServedHost host)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            var shown = await host.JsonAsync(HttpMethod.Get, "/api/streams/movements", 200);
            if (shown.GetProperty("lag_events").GetInt64() == 0)
                return;
            if (patience.IsCancellationRequested)
                throw new TimeoutException(shown.ToString());
            await Task.Delay(20);
        }
    }

    internal static async Task<IReadOnlyList<TRow>> RowsAsync<TRow>(ServedHost host) where TRow : class
    {
        var store = host.Services.GetRequiredService<IFeatureStore>();
        var always = new Window(new DateTime(1900, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(9000, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var commits = await store.CommitsAsync(RowCodec<TRow>.Instance.Schema, await store.CurrentSeqAsync(default), always, default);
        using var feed = new GroupFeed<TRow>(store, commits, null, always, FeedMode.Rows, null, default);
        var rows = new List<TRow>();
        while (await feed.NextAsync(default) is { } batch)
            for (var i = 0; i < batch.Count; i++)
                rows.Add(batch[i].Row);
        return rows;
    }
}
