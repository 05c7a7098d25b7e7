using System.Net;
using System.Text;
using System.Text.Json;
using AiWorkflows.Tests.Cli;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Inference.Online;

/// <summary>Whatever is wrong with a request for predictions is told by its status and in problem+json, which names the field; it is never an error of ours.</summary>
public sealed class BadInputTests(OnlineShop finished) : IClassFixture<OnlineShop>
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    // Not JSON.
    [InlineData("not json", 400, null, "cannot be read as JSON (line 1, byte 2)")]
    [InlineData("", 400, null, "has no body")]
    [InlineData("""{"instances": [{"visit_id": 1}""", 400, null, "cannot be read as JSON")]
    [InlineData("""{"instances": [{"visit_id": 1}]} x""", 400, null, "cannot be read as JSON")]
    [InlineData("""{"instances": [{"visit_id": 1}], "instances": []}""", 400, null, "instances")]
    // Wrong type.
    [InlineData("[]", 400, "$", "is no object")]
    [InlineData("{}", 400, "$.instances", "There are no instances")]
    [InlineData("""{"instances": {}}""", 400, "$.instances", "it is no array")]
    [InlineData("""{"instances": []}""", 400, "$.instances", "it is empty")]
    [InlineData("""{"instances": [7]}""", 400, "$.instances[0]", "it is no object")]
    [InlineData("""{"instances": [{"visit_id": "x"}]}""", 400, "$.instances[0].visit_id", "it is \"x\", expected is a whole number")]
    [InlineData("""{"instances": [{"visit_id": 1.5}]}""", 400, "$.instances[0].visit_id", "it is 1.5, expected is a whole number")]
    [InlineData("""{"instances": [{"visit_id": true}]}""", 400, "$.instances[0].visit_id", "it is true")]
    [InlineData("""{"instances": [{"visit_id": {}}]}""", 400, "$.instances[0].visit_id", "it is {}")]
    [InlineData("""{"instances": [{"visit_id": 1, "shop": 7, "basket": 1}]}""", 400, "$.instances[0].shop", "expected is a text")]
    [InlineData("""{"instances": [{"visit_id": 1, "at": "2024-01-01T00:00:00"}]}""", 400, "$.instances[0].at", "a time with its offset")]
    [InlineData("""{"instances": [{"visit_id": 1, "at": 1700000000}]}""", 400, "$.instances[0].at", "it is 1700000000")]
    [InlineData("""{"instances": [{"visit_id": 1}], "request_id": ""}""", 400, "$.request_id", "1 to 64")]
    [InlineData("""{"instances": [{"visit_id": 1}], "request_id": 7}""", 400, "$.request_id", "is no text")]
    // Unknown field, with names that are near.
    [InlineData("""{"instance": [{}]}""", 400, "$.instance", "did you mean instances?")]
    [InlineData("""{"instances": [{"visit_id": 1}], "requestid": "a"}""", 400, "$.requestid", "did you mean request_id?")]
    [InlineData("""{"instances": [{"visit_id": 1, "basked": 3}]}""", 400, "$.instances[0].basked", "did you mean basket?")]
    [InlineData("""{"instances": [{"visit_id": 1}, {"visit_id": 1, "visit_id": 2}]}""", 400, null, "visit_id")]
    // Missing key, missing column.
    [InlineData("""{"instances": [{}]}""", 400, "$.instances[0].visit_id", "it is missing")]
    [InlineData("""{"instances": [{"visit_id": 1}, {"shop": "north"}]}""", 400, "$.instances[1].visit_id", "it is missing")]
    [InlineData("""{"instances": [{"visit_id": null}]}""", 400, "$.instances[0].visit_id", "never missing")]
    [InlineData("""{"instances": [{"visit_id": 1, "basket": 3}]}""", 400, "$.instances[0].shop", "give either only the keys")]
    // NaN, and numbers out of range.
    [InlineData("""{"instances": [{"visit_id": NaN}]}""", 400, null, "cannot be read as JSON")]
    [InlineData("""{"instances": [{"visit_id": 1, "shop": "north", "basket": "NaN"}]}""", 400, "$.instances[0].basket", "expected is a number")]
    [InlineData("""{"instances": [{"visit_id": 1, "shop": "north", "basket": -Infinity}]}""", 400, null, "cannot be read as JSON")]
    [InlineData("""{"instances": [{"visit_id": 1e30}]}""", 400, "$.instances[0].visit_id", "from -9223372036854775808 to 9223372036854775807")]
    [InlineData("""{"instances": [{"visit_id": 9223372036854775808}]}""", 400, "$.instances[0].visit_id", "from -9223372036854775808")]
    [InlineData("""{"instances": [{"visit_id": 1, "shop": "north", "basket": 1e300}]}""", 400, "$.instances[0].basket", "a number of at most 3.40282")]
    [InlineData("""{"instances": [{"visit_id": 1, "shop": "north", "basket": 1e400}]}""", 400, "$.instances[0].basket", "a number of at most 3.40282")]
    // Deep nesting, within what is read at all.
    [InlineData("""{"instances": [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}""", 400, "$.instances[0]", "it is no object")]
    public async Task What_cannot_be_read_is_refused_by_the_name_of_its_field(string body, int status, string? field, string detail)
    {
        using var content = Json(body);
        await RefusedAsync(HttpMethod.Post, "/api/models/buy/predictions", content, status, field, detail);
    }

    [Theory]
    [InlineData("POST", "/api/models/bye/predictions", 404, null, "Unknown model 'bye': did you mean buy?")]
    [InlineData("GET", "/api/models/bye", 404, null, "Unknown model 'bye': did you mean buy?")]
    [InlineData("GET", "/api/models/buy/predictions", 405, null, "does not take GET; it takes POST")]
    [InlineData("PUT", "/api/models/buy/predictions", 405, null, "does not take PUT; it takes POST")]
    [InlineData("POST", "/api/models/buy", 405, null, "does not take POST; it takes GET")]
    [InlineData("POST", "/api/models/buy/predictions?version=99", 400, null, "has no version 99")]
    [InlineData("POST", "/api/models/buy/predictions?version=0", 400, "version", "whole numbers from 1")]
    [InlineData("POST", "/api/models/buy/predictions?version=one", 400, "version", "'one' is no version")]
    [InlineData("POST", "/api/models/buy/predictions?version=1&version=2", 400, "version", "more than once")]
    [InlineData("POST", "/api/models/buy/predictions?version=1&alias=champion", 400, "$.version", "not both")]
    [InlineData("POST", "/api/models/buy/predictions?pipeline=buy-scorin", 400, null, "did you mean buy-scoring?")]
    [InlineData("POST", "/api/models/buy/predictions?alias=canary", 409, null, "has no canary that can answer")]
    public async Task A_wrong_address_says_what_would_be_right(string method, string path, int status, string? field, string detail)
    {
        using var content = method == "GET" ? null : Json("""{"instances": [{"visit_id": 1}]}""");
        await RefusedAsync(new(method), path, content, status, field, detail);
    }

    [Theory]
    [InlineData("text/plain", "not text/plain")]
    [InlineData("application/x-www-form-urlencoded", "not application/x-www-form-urlencoded")]
    [InlineData(null, "Send application/json")]
    public async Task A_body_that_is_not_called_JSON_is_not_read(string? mediaType, string detail)
    {
        using var content = new ByteArrayContent("""{"instances": [{"visit_id": 1}]}"""u8.ToArray());
        if (mediaType is not null)
            content.Headers.ContentType = new(mediaType);
        await RefusedAsync(HttpMethod.Post, "/api/models/buy/predictions", content, 415, null, detail);
    }

    [Fact]
    public async Task A_body_of_ten_megabytes_is_refused_before_it_is_read()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/models/buy/predictions") { Content = Json("{\"instances\":[" + new string(' ', 10 * 1024 * 1024) + "]}") };
        // Else the client is still sending while it is refused.
        request.Headers.ExpectContinue = true;
        await RefusedAsync(request, 413, null, "this address takes 4194304");
    }

    [Fact]
    public async Task A_hundred_thousand_instances_are_more_than_a_request_takes()
    {
        using var content = Json("{\"instances\":[" + string.Join(',', Enumerable.Repeat("{\"visit_id\":1}", 100_000)) + "]}");
        await RefusedAsync(HttpMethod.Post, "/api/models/buy/predictions", content, 400, "$.instances", "it has 100000 elements; a request takes at most 1000");
    }

    [Theory]
    [InlineData("[", "]")]
    [InlineData("{\"a\":", "}")]
    public async Task Nesting_has_a_limit_however_deep_it_goes(string open, string close)
    {
        foreach (var depth in new[] { 40, 100_000 })
        {
            using var content = Json("{\"instances\":" + string.Concat(Enumerable.Repeat(open, depth)) + "1" + string.Concat(Enumerable.Repeat(close, depth)) + "}");
            await RefusedAsync(HttpMethod.Post, "/api/models/buy/predictions", content, 400, null, "depth of 32");
        }
    }

    [Fact]
    public async Task A_request_id_that_was_used_for_something_else_is_a_conflict()
    {
        await using var shop = await ServedShop.StartAsync(finished.Directory);
        (await shop.PredictRawAsync("""{"instances": [{"visit_id": 1}], "request_id": "r"}""")).Status.ShouldBe(200);
        var (status, problem) = await shop.PredictRawAsync("""{"instances": [{"visit_id": 1}, {"visit_id": 2}], "request_id": "r"}""");
        status.ShouldBe(409);
        problem.GetProperty("detail").GetString()!.ShouldContain("Request id 'r' was used for another request");
    }

    [Fact]
    public async Task An_unknown_entity_is_refused_where_the_view_says_so()
    {
        await using var shop = await ServedShop.StartAsync(new ShopHost(copyOf: finished.Directory) { RefuseUnknown = true });
        var (status, problem) = await shop.PredictRawAsync("""{"instances": [{"visit_id": 1}, {"visit_id": 777777}]}""");
        status.ShouldBe(400, problem.ToString());
        problem.GetProperty("field").GetString().ShouldBe("$.instances[1]");
        problem.GetProperty("detail").GetString()!.ShouldContain("visits has no row [777777], and view buy refuses entities that it does not know; give all columns of the row.");
        (await shop.PredictRawAsync("""{"instances": [{"visit_id": 777777, "shop": "north", "basket": 3}]}""")).Status.ShouldBe(200);
        JsonDocument.Parse(await shop.Http.GetStringAsync("/api/models/buy", Ct)).RootElement.GetProperty("instance").GetProperty("when_unknown").GetString().ShouldBe("refuse");
        // It decides nothing about what an example is: the model that was trained without it goes on.
        shop.Query("SELECT COUNT(*) FROM prediction_log_online_rows", r => r.GetInt64(0)).ShouldBe([1L]);
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private async Task RefusedAsync(HttpMethod method, string path, HttpContent? content, int status, string? field, string detail)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        await RefusedAsync(request, status, field, detail);
    }

    private async Task RefusedAsync(HttpRequestMessage request, int status, string? field, string detail)
    {
        using var response = await finished.Served.Http.SendAsync(request, Ct);
        var text = await response.Content.ReadAsStringAsync(Ct);
        ((int)response.StatusCode).ShouldBe(status, text);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var problem = JsonDocument.Parse(text).RootElement;
        problem.GetProperty("status").GetInt32().ShouldBe(status);
        problem.GetProperty("title").GetString().ShouldNotBeNullOrEmpty();
        problem.GetProperty("detail").GetString()!.ShouldContain(detail);
        (problem.TryGetProperty("field", out var named) ? named.GetString() : null).ShouldBe(field);
    }
}
