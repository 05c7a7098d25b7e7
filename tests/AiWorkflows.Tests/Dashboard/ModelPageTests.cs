using System.Net;
using AiWorkflows.Hosting.Dashboard.Models;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using CsCheck;

namespace AiWorkflows.Tests.Dashboard;

public sealed class ModelPageTests
{
    [Fact]
    public void A_confusion_at_an_edge_of_the_bins_is_what_counting_the_examples_gives() => Gen.Select(Gen.Select(Gen.Double[0, 0.9999], Gen.Bool).Array[1, 300], Gen.Int[1, 9]).Sample((examples, tenth) =>
    {
        var bins = Enumerable.Range(0, 10).Select(i => examples.Where(e => (int)(e.Item1 * 10) == i).ToArray()).Select((bin, i) =>
            $$"""{"from":{{(i / 10d).ToString(System.Globalization.CultureInfo.InvariantCulture)}},"to":1,"count":{{bin.Length}}{{(bin.Length == 0 ? "" : $",\"observed\":{(bin.Count(e => e.Item2) / (double)bin.Length).ToString(System.Globalization.CultureInfo.InvariantCulture)}")}}}""");
        var confusion = Confusion.Of(Version($$"""{"calibration":[{{string.Join(',', bins)}}]}"""), tenth / 10d)!;
        confusion.TruePositives.ShouldBe(examples.Count(e => (int)(e.Item1 * 10) >= tenth && e.Item2));
        confusion.FalsePositives.ShouldBe(examples.Count(e => (int)(e.Item1 * 10) >= tenth && !e.Item2));
        confusion.FalseNegatives.ShouldBe(examples.Count(e => (int)(e.Item1 * 10) < tenth && e.Item2));
        confusion.TrueNegatives.ShouldBe(examples.Count(e => (int)(e.Item1 * 10) < tenth && !e.Item2));
    });

    [Fact]
    public async Task Any_version_can_be_looked_at_at_any_threshold()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var html = await client.GetStringAsync(host.Url + "/hangfire/models/flight-delay?version=11&threshold=0.2");
        html.ShouldContain("champion is v12");
        html.ShouldContain("<caption class=\"aw-sr\">Confusion on the holdout at 0.2</caption>");
        html.ShouldContain("<b class=\"aw-t-ok\">30</b>");
        (await client.GetStringAsync(host.Url + "/hangfire/models/flight-delay")).ShouldContain("4 older versions");
        (await client.GetStringAsync(host.Url + "/hangfire/models/flight-delay?versions=all")).ShouldContain("?version=1\">v1</a>");
        (await client.GetAsync(host.Url + "/hangfire/models/flight-delay?version=99")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Two_versions_are_compared_with_what_differs_first()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var html = await client.GetStringAsync(host.Url + "/hangfire/models/flight-delay/compare?a=11&b=12");
        html.ShouldContain("1 parameter differs");
        html.ShouldContain("options.Leaves");
        html.IndexOf("options.Leaves", StringComparison.Ordinal).ShouldBeLessThan(html.IndexOf("options.Rate", StringComparison.Ordinal));
        html.ShouldContain("<span class=\"aw-t-bad\">+0.0200</span>", Case.Sensitive, "a greater log loss is worse");
        html.ShouldContain("<span class=\"aw-t-ok\">+0.0100</span>");
        (await client.GetStringAsync(host.Url + "/hangfire/models/flight-delay/compare")).ShouldContain("v12 and v11 of flight-delay");
    }

    [Fact]
    public async Task A_version_is_promoted_and_rolled_back_for_a_reason_and_both_are_on_record()
    {
        await using var host = await FilledAsync();
        using var browser = new Viewer(host.Url);
        const string page = "/models/flight-delay";
        (await browser.PostAsync(page, page + "/promote", ("version", "11"))).ShouldBe((HttpStatusCode.UnprocessableEntity, "Say why; it is kept on record."));
        (await browser.PostAsync(page, page + "/promote", ("version", "99"), ("reason-promote", "better"))).Message.ShouldContain("has no version 99");
        (await browser.PostAsync(page, page + "/promote", ("version", "11"), ("reason-promote", "<b>better</b> in June"))).ShouldBe((HttpStatusCode.NoContent, ""));
        var html = await browser.GetAsync(page);
        html.ShouldContain("v11 champion");
        html.ShouldContain("&lt;b&gt;better&lt;/b&gt; in June");
        html.ShouldContain("Roll back to v12…");
        (await browser.PostAsync(page, page + "/rollback", ("reason-rollback", "worse in July"))).Status.ShouldBe(HttpStatusCode.NoContent);
        (await browser.PostAsync(page, page + "/promote", ("version", "11"), ("alias", "challenger"), ("reason-promote", "once more"))).Status.ShouldBe(HttpStatusCode.NoContent);
        (await browser.PostAsync(page, page + "/promote", ("version", "10"), ("alias", "champion"), ("another", "Canary 1"), ("reason-promote", "x"))).Message.ShouldContain("'Canary 1' is no alias");
        (await browser.PostAsync(page, page + "/promote", ("version", "12"), ("alias", "champion"), ("another", "canary"), ("reason-promote", "one host"))).ShouldBe((HttpStatusCode.NoContent, ""));
        (await browser.GetAsync(page)).ShouldContain("<option value=\"canary\">canary</option>");
        var audit = await host.Database.ReadAsync<string>("SELECT done_by || ' ' || action || ' ' || subject || ' ' || details FROM {workflows.audit} ORDER BY audit_id", null, CancellationToken.None);
        audit.ShouldBe(["dashboard promote model flight-delay champion: 12 to 11, <b>better</b> in June", "dashboard promote model flight-delay champion: 11 to 12, worse in July", "dashboard alias model flight-delay challenger: none to 11, once more",
            "dashboard alias model flight-delay canary: none to 12, one host"]);
    }

    [Fact]
    public async Task Drift_of_the_shown_version_is_told_by_feature_the_furthest_first()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        (await client.GetStringAsync(host.Url + "/hangfire/models/flight-delay")).ShouldNotContain("<h2>Drift</h2>");
        await host.Database.WriteAsync(async tx =>
        {
            foreach (var (version, day, feature, psi) in new[] { (12, 1, "<i>Hour</i>", 0.01), (12, 2, "<i>Hour</i>", 0.31), (12, 1, "Gap", 0.5), (12, 2, "Gap", 0.12), (11, 2, "Old", 0.9) })
                await tx.ExecuteAsync("INSERT INTO {prediction_log.drift} (pipeline, model, version, day, feature, psi, rows, computed_at) VALUES ('delay-scoring', 'flight-delay', @version, @at, @feature, @psi, 9, 0)",
                    new { version, feature, psi, at = (Utc)DashboardSeed.Clock.Date.AddDays(day) });
        }, CancellationToken.None);
        var html = await client.GetStringAsync(host.Url + "/hangfire/models/flight-delay?version=12");
        html.ShouldContain("<h2>Drift</h2>");
        html.ShouldNotContain("<i>Hour");
        html.ShouldMatch("&lt;i&gt;Hour&lt;/i&gt;(?s:.)*changed(?s:.)*0\\.310(?s:.)*Gap(?s:.)*moved(?s:.)*0\\.120");
        html.ShouldNotContain("Old</th>");
    }

    [Fact]
    public async Task A_viewer_sees_no_form_and_is_refused()
    {
        await using var host = await FilledAsync(readOnly: true);
        using var browser = new Viewer(host.Url);
        (await browser.GetAsync("/models/flight-delay")).ShouldNotContain("data-aw-post");
        (await browser.PostAsync("/models/flight-delay", "/models/flight-delay/promote", ("version", "11"), ("reason-promote", "x"))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await host.Database.ReadFirstAsync<int>("SELECT version FROM {model_registry.aliases}", null, CancellationToken.None)).ShouldBe(12);
    }

    [Fact]
    public async Task The_saved_model_is_downloaded_as_it_was_stored()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var answer = await client.GetAsync(host.Url + "/hangfire/models/flight-delay/versions/12/download");
        (await answer.Content.ReadAsByteArrayAsync()).ShouldBe([1, 2, 3]);
        answer.Content.Headers.ContentDisposition!.FileNameStar.ShouldBe("flight-delay-v12.zip");
        (await client.GetAsync(host.Url + "/hangfire/models/flight-delay/versions/99/download")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private static async Task<DashboardHost> FilledAsync(bool readOnly = false)
    {
        var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock, readOnly);
        await DashboardSeed.FillAsync(host);
        await host.Database.WriteAsync(ModelSeed.FillAsync, CancellationToken.None);
        return host;
    }

    private static VersionDetail Version(string metrics) => new()
    {
        Model = "m", Version = 1, Pipeline = "p", Task = "binary", Trainer = "t", View = "v", ViewFingerprint = "f", PrimaryMetric = "auc", Promotion = "", ContentSha256 = "c", ArtifactSha256 = "a",
        CodeVersion = "x", Metrics = new JsonText(metrics), BaselineMetrics = new JsonText("{}"),
    };
}
