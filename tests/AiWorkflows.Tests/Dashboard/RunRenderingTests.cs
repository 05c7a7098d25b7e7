using System.Text.RegularExpressions;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Runs;
using AiWorkflows.Storage.Queries;
using Utc = AiWorkflows.Storage.Utc;

namespace AiWorkflows.Tests.Dashboard;

public sealed class RunRenderingTests
{
    private const string Evil = "<script>alert(1)</script>\"' onmouseover=x";
    private static readonly DateTime Now = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Whatever_names_errors_and_log_lines_say_stays_text()
    {
        var model = Model("failed", [Step(1, Evil, "failed") with { Error = Evil, Host = Evil, JobId = Evil, Engine = "here", ProgressText = Evil }]) with
        {
            Log = [new() { LogId = 1, LoggedAt = new(Now), Level = "error", Message = Evil, Step = Evil }],
            Outputs = [new() { Type = "commit", Name = Evil, Id = 1, Kind = Evil, State = "published" }],
            Attempts = new[] { new DashboardAttempt { StageRunId = 1, Attempt = 1, Host = Evil, StartedAt = new(Now), Outcome = Evil, Error = Evil } }.ToLookup(a => a.StageRunId),
        };
        model = model with { Run = model.Run with { Workflow = Evil, RequestedBy = Evil, CodeVersion = Evil, Error = Evil, Reason = Evil } };

        var html = Html(model);
        html.ShouldNotContain("<script>alert");
        html.ShouldNotContain("\"' onmouseover");
        html.ShouldContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    }

    [Fact]
    public void A_run_whose_steps_wait_in_a_queue_that_no_host_serves_says_so()
    {
        Html(Model("running", [Step(1, "a", "pending")])).ShouldNotContain("Steps wait for a host");
        var html = Html(Model("running", [Step(1, "a", "pending")]) with { Unserved = [new("training", 2, TimeSpan.FromMinutes(2))] });
        html.ShouldContain("2 steps wait in queue &#39;training&#39; for 120 s");
    }

    [Fact]
    public void Names_of_300_characters_and_sixty_stages_are_shown()
    {
        var steps = Enumerable.Range(0, 60).Select(i => Step(i + 1, $"stage-{i}-{new string('x', 300)}", "succeeded")).ToArray();
        var html = Html(Model("succeeded", steps));
        Regex.Count(html, "<g class=\"aw-node ").ShouldBe(60);
        Regex.Count(html, "<tr class=\"\" id=\"step-").ShouldBe(60);
    }

    [Fact]
    public void Above_sixty_steps_the_graph_shows_the_failed_one_and_its_neighbours()
    {
        var steps = Enumerable.Range(0, 90).Select(i => Step(i + 1, $"s{i}", i == 45 ? "failed" : "succeeded")).ToArray();
        var edges = Enumerable.Range(1, 89).Select(i => new DashboardEdge { Step = $"s{i}", AfterStep = $"s{i - 1}" }).ToArray();
        var html = Html(Model("failed", steps) with { Edges = edges });
        Regex.Count(html, "<g class=\"aw-node ").ShouldBe(5);
        html.ShouldContain("5 of 90 steps");
    }

    [Fact]
    public void Of_many_partitions_the_failed_the_running_and_the_slowest_have_a_line()
    {
        var parts = Enumerable.Range(0, 200).Select(i => Step(i + 1, "scoring", i == 7 ? "failed" : i == 9 ? "running" : "succeeded") with
        {
            Partition = i, Partitions = 200, StartedAt = new Utc(Now.AddSeconds(-1000)), FinishedAt = i == 9 ? null : new Utc(Now.AddSeconds(-900 + i)),
        }).ToArray();
        var html = Html(Model("running", parts));
        foreach (var shown in new[] { "8 of 200", "10 of 200", "196 of 200", "200 of 200" })
            html.ShouldContain($">{shown}</th>");
        html.ShouldNotContain(">1 of 200</th>");
        html.ShouldContain("193 others");
    }

    [Fact]
    public void A_partitioned_stage_is_one_node_that_says_how_many_are_done()
    {
        var parts = Enumerable.Range(0, 8).Select(i => Step(i + 1, "scoring", i < 5 ? "succeeded" : i < 7 ? "running" : "pending") with { Partition = i, Partitions = 8 });
        var publish = Step(9, "scoring/publish", "pending") with { Stage = "scoring", Kind = "control" };
        var html = Html(Model("running", [.. parts, publish]) with { Edges = [new() { Step = "scoring/publish", AfterStep = "scoring" }] });
        Regex.Count(html, "<g class=\"aw-node ").ShouldBe(2);
        html.ShouldContain("5 of 8 partitions");
        html.ShouldContain("waits for scoring");
        html.ShouldContain("control → all partitions");
    }

    [Fact]
    public void A_failed_run_says_what_failed_what_is_not_damaged_and_what_resuming_keeps()
    {
        var html = Html(Model("failed", [Step(1, "departures", "succeeded"), Step(2, "scoring", "failed") with { Attempt = 3, Error = "feature wind is missing" }]));
        html.ShouldContain("scoring failed, after 3 attempts.");
        html.ShouldContain("Nothing of it is visible to anyone");
        html.ShouldContain("<pre>feature wind is missing</pre>");
        html.ShouldContain("Resuming keeps the 1 step that succeeded");
        html.ShouldContain("Resume from scoring");
    }

    [Fact]
    public void A_viewer_gets_no_form()
    {
        Html(Model("running", [Step(1, "a", "running")]), readOnly: false).ShouldContain("data-aw-post=\"/hangfire/runs/5/cancel\"");
        Html(Model("running", [Step(1, "a", "running")]), readOnly: true).ShouldNotContain("data-aw-post");
    }

    [Fact]
    public void A_skipped_step_tells_why()
    {
        var html = Html(Model("running", [Step(1, "training", "skipped") with { Reason = "not due until 2001-06-22", StartedAt = null, FinishedAt = null, Attempt = 0 }]));
        Regex.Count(html, "not due until 2001-06-22").ShouldBeGreaterThanOrEqualTo(2);
    }

    [Fact]
    public void An_edge_that_another_path_implies_is_not_drawn()
    {
        var model = Model("running", [Step(1, "a", "succeeded"), Step(2, "b", "running"), Step(3, "c", "pending")]) with
        {
            Edges = [new() { Step = "b", AfterStep = "a" }, new() { Step = "c", AfterStep = "b" }, new() { Step = "c", AfterStep = "a" }],
        };
        RunGraph.Edges(model, StepGroup.Of(model.Steps)).ShouldBe([("a", "b"), ("b", "c")], ignoreOrder: true);
    }

    [Fact]
    public void Jobs_of_another_engine_instance_are_no_links()
    {
        var html = Html(Model("running", [Step(1, "a", "running") with { JobId = "7", Engine = "gone" }, Step(2, "b", "running") with { JobId = "8", Engine = "here" }]));
        html.ShouldNotContain("/hangfire/jobs/details/7");
        html.ShouldContain("/hangfire/jobs/details/8");
    }

    private static string Html(RunModel model, bool readOnly = false) =>
        PageFrame.Render(RunPage.Render(model, null, new("/hangfire", readOnly, Now)), new(0, 0, null), new("/hangfire", readOnly, Now)).ToString();

    private static RunModel Model(string state, DashboardStep[] steps) => new()
    {
        Run = new()
        {
            RunId = 5, Workflow = "flight-delays", State = state, WindowFrom = new(Now.AddDays(-2)), WindowTo = new(Now.AddDays(-1)), Mode = "stages", RequestedBy = "ana",
            TriggeredBy = "manual", RequestedAt = new(Now.AddMinutes(-5)), StartedAt = new Utc(Now.AddMinutes(-4)), FinishedAt = state == "running" ? null : new Utc(Now),
        },
        Steps = steps, Edges = [], Attempts = Array.Empty<DashboardAttempt>().ToLookup(a => a.StageRunId), Outputs = [], Log = [], LogFilter = DashboardLogFilter.Everything, EngineId = "here",
    };

    private static DashboardStep Step(long id, string step, string state) => new()
    {
        StageRunId = id, RunId = 5, Step = step, Stage = step, Kind = "feature", Ordinal = (int)id, Partitions = 1, Queue = "features", State = state, Attempt = 1, MaxFailures = 3,
        StartedAt = new Utc(Now.AddMinutes(-3)), FinishedAt = state == "running" ? null : new Utc(Now.AddMinutes(-2)), RowsWritten = 10,
    };
}
