using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Workflows;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Tests.Dashboard;

public sealed class WindowStripTests
{
    private static readonly DateTime Clock = new(2001, 3, 1, 6, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void A_cell_shows_the_latest_run_that_covers_its_window_however_long_that_is()
    {
        var cells = Cells([Run(1, Day(-31), Day(0), "succeeded"), Run(2, Day(-3), Day(-2), "failed"), Run(3, Day(-1), Day(0), "requested")]);
        cells.Length.ShouldBe(30);
        cells.Take(27).ShouldAllBe(look => look == "ok");
        cells[27..].ShouldBe(["bad", "ok", "wait"]);
    }

    [Fact]
    public void Windows_before_the_origin_and_after_the_clock_have_no_cell() =>
        Cells([], origin: Day(-4)).ShouldBe(["none", "none", "none", "none"]);

    [Fact]
    public void A_retry_and_an_overlap_have_shapes_of_their_own()
    {
        var cells = Cells([Run(1, Day(-2), Day(-1), "succeeded"), Run(2, Day(-1), Day(0), "cancelled") with { Reason = "overlap" }], setbacks: 1);
        cells[28..].ShouldBe(["retry", "skip"]);
    }

    [Fact]
    public void A_window_that_was_asked_for_beyond_the_clock_is_shown() => Cells([Run(1, Day(4), Day(5), "running")])[^1].ShouldBe("run");

    private static DateTime Day(int days) => Clock.Date.AddDays(days);

    private static string[] Cells(DashboardRun[] runs, DateTime? origin = null, int setbacks = 0)
    {
        var workflow = DashboardSeed.Workflow("w", null, ["a"]) with { Origin = origin ?? new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc) };
        var model = new WorkflowsModel
        {
            OpenAndFailed = [], Runs = runs, States = [], Watermarks = new Dictionary<string, DateTime>(), Versions = Array.Empty<DashboardVersion>().ToLookup(v => v.Model),
            Steps = runs.ToDictionary(run => run.RunId, run => new DashboardRunSteps { RunId = run.RunId, Setbacks = setbacks }), Totals = new(), LiveAuc = [], EventTime = Clock,
        };
        return [.. WindowStrip.Cells(workflow, runs, model, new PageContext("/hangfire", false, Clock)).Select(cell => cell.Look)];
    }

    private static DashboardRun Run(long id, DateTime from, DateTime to, string state) => new()
    {
        RunId = id, Workflow = "w", State = state, WindowFrom = new(from), WindowTo = new(to), Mode = "stages", RequestedBy = "x", TriggeredBy = "manual", RequestedAt = new(Clock),
    };
}
