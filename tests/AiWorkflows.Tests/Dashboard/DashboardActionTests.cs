using System.Net;
using System.Text.RegularExpressions;

namespace AiWorkflows.Tests.Dashboard;

public sealed class DashboardActionTests
{
    [Fact]
    public async Task A_run_is_cancelled_and_resumed_and_both_are_on_record()
    {
        await using var host = await FilledAsync();
        using var browser = new Viewer(host.Url);
        (await browser.PostAsync("/runs/41", "/runs/41/cancel")).Status.ShouldBe(HttpStatusCode.NoContent);
        (await StateAsync(host, 41)).ShouldBe("cancelled");
        (await browser.PostAsync("/runs/41", "/runs/41/cancel")).ShouldBe((HttpStatusCode.Conflict, "Run 41 had ended already."));
        (await browser.PostAsync("/runs/41", "/runs/41/resume")).Status.ShouldBe(HttpStatusCode.NoContent);
        (await StateAsync(host, 41)).ShouldBe("requested");

        var audit = await host.Database.ReadAsync<string>("SELECT done_by || ' ' || action || ' ' || subject FROM {workflows.audit} ORDER BY audit_id", null, CancellationToken.None);
        audit.ShouldBe(["dashboard cancel run 41", "dashboard resume run 41"]);
    }

    [Fact]
    public async Task A_schedule_is_paused_by_somebody_and_goes_on_again()
    {
        await using var host = await FilledAsync();
        using var browser = new Viewer(host.Url);
        (await browser.PostAsync("/workflows", "/workflows/flight-delays/pause")).Status.ShouldBe(HttpStatusCode.NoContent);
        (await PausedByAsync(host)).ShouldBe("dashboard");
        (await browser.PostAsync("/workflows", "/workflows/flight-delays/resume")).Status.ShouldBe(HttpStatusCode.NoContent);
        (await PausedByAsync(host)).ShouldBeNull();
    }

    [Fact]
    public async Task What_cannot_be_done_is_refused_with_a_sentence()
    {
        await using var host = await FilledAsync();
        using var browser = new Viewer(host.Url);
        var (status, message) = await browser.PostAsync("/workflows", "/workflows/flight-dealys/run");
        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        message.ShouldContain("did you mean flight-delays?");
        (await browser.PostAsync("/workflows", "/workflows/flight-delays/run")).Message.ShouldContain("Run 41 of flight-delays");
        (await browser.PostAsync("/runs", "/runs/10/resume")).Message.ShouldContain("nothing to resume");
    }

    [Fact]
    public async Task A_post_without_the_pages_token_changes_nothing()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        (await client.PostAsync(host.Url + "/hangfire/runs/41/cancel", null)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await StateAsync(host, 41)).ShouldBe("running");
    }

    [Fact]
    public async Task A_get_changes_nothing()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        (await client.GetAsync(host.Url + "/hangfire/runs/41/cancel")).StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        (await StateAsync(host, 41)).ShouldBe("running");
    }

    [Fact]
    public async Task A_viewer_sees_no_button_and_is_refused_if_he_posts_all_the_same()
    {
        await using var host = await FilledAsync(readOnly: true);
        using var browser = new Viewer(host.Url);
        foreach (var path in new[] { "/workflows", "/runs/41", "/runs/42" })
            (await browser.GetAsync(path)).ShouldNotContain("data-aw-post");
        (await browser.PostAsync("/runs/41", "/runs/41/cancel")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await StateAsync(host, 41)).ShouldBe("running");
    }

    private static async Task<DashboardHost> FilledAsync(bool readOnly = false)
    {
        var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock, readOnly);
        await DashboardSeed.FillAsync(host);
        return host;
    }

    private static Task<string?> StateAsync(DashboardHost host, long run) =>
        host.Database.ReadFirstAsync<string>("SELECT state FROM {workflows.runs} WHERE run_id = @run", new { run }, CancellationToken.None);

    private static Task<string?> PausedByAsync(DashboardHost host) =>
        host.Database.ReadFirstAsync<string>("SELECT paused_by FROM {workflows.workflows} WHERE workflow = 'flight-delays'", null, CancellationToken.None);
}
