using AiWorkflows.Workflows;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

public class OwedWindowsTests
{
    private static readonly StageDefinition[] Stages = [FeatureStage("events"), FeatureStage("means"), TrainingStage("train", "means"), InferenceStage("score", "means", "train")];

    [Fact]
    public void With_nothing_covered_the_warm_up_comes_first_without_training_and_inference()
    {
        var owed = OwedWindows.Find(Workflow(Stages, warmUp: Day(10), until: Day(20)), RunModes.Stages, [], Day(100));
        owed.Count.ShouldBe(2);
        owed[0].Window.ShouldBe(Days(1, 10));
        owed[0].Pipelines.ShouldBe(["events", "means"]);
        owed[1].Window.ShouldBe(Days(10, 20));
        owed[1].Pipelines.ShouldBe(["events", "means", "train", "score"]);
    }

    [Fact]
    public void Only_closed_cells_are_owed() =>
        OwedWindows.Find(Workflow(Stages), RunModes.Stages, [], Day(4.99)).ShouldHaveSingleItem().Window.ShouldBe(Days(1, 4));

    [Fact]
    public void Nothing_is_owed_before_the_first_cell_has_ended() => OwedWindows.Find(Workflow(Stages), RunModes.Stages, [], Day(1.5)).ShouldBeEmpty();

    [Fact]
    public void Monolith_train_and_then_infer_each_have_work_and_then_nothing_is_left()
    {
        var workflow = Workflow(Stages);
        var coverage = new List<CoverageInterval>();
        OwedWindows.Find(workflow, RunModes.MonolithTrain, coverage, Day(5)).ShouldHaveSingleItem().Pipelines.ShouldBe(["events", "means", "train"]);
        coverage.AddRange([new("events", Days(1, 5)), new("means", Days(1, 5)), new("train", Days(1, 5))]);
        OwedWindows.Find(workflow, RunModes.MonolithInfer, coverage, Day(5)).ShouldHaveSingleItem().Pipelines.ShouldBe(["score"]);
        coverage.Add(new("score", Days(1, 5)));
        OwedWindows.Find(workflow, RunModes.Stages, coverage, Day(5)).ShouldBeEmpty();
    }

    [Fact]
    public void A_cell_that_is_covered_only_in_part_is_owed() =>
        OwedWindows.Find(Workflow([FeatureStage("events")]), RunModes.Stages, [new("events", Days(1.5, 3.5))], Day(5))
            .Select(o => o.Window).ShouldBe([Days(1, 2), Days(3, 5)]);

    [Theory]
    [InlineData(CatchUpPolicy.OneRun, 1, 4)]
    [InlineData(CatchUpPolicy.EachWindow, 1, 2)]
    public void Catch_up_asks_for_the_earliest_stretch_or_cell(CatchUpPolicy policy, double from, double to) =>
        OwedWindows.Next(Workflow(Stages, catchUp: policy), RunModes.Stages, Everything(4, 6), Day(9))!.Window.ShouldBe(Days(from, to));

    [Fact]
    public void Catch_up_of_the_latest_asks_only_for_the_newest_closed_cell()
    {
        var workflow = Workflow(Stages, catchUp: CatchUpPolicy.Latest);
        OwedWindows.Next(workflow, RunModes.Stages, [], Day(9.5))!.Window.ShouldBe(Days(8, 9));
        OwedWindows.Next(workflow, RunModes.Stages, Everything(8, 9), Day(9.5)).ShouldBeNull();
    }

    [Fact]
    public void Owed_stretches_equal_those_of_a_cell_by_cell_count_on_random_histories()
    {
        var random = new Random(7);
        for (var i = 0; i < 3_000; i++)
        {
            var mode = random.Next(3) switch { 0 => RunModes.MonolithTrain, 1 => RunModes.MonolithInfer, _ => RunModes.Stages };
            var size = TimeSpan.FromHours(random.Next(1, 4) * 12);
            DateTime Line(int n) => Origin + n * size;
            DateTime? warmUp = random.Next(2) == 0 ? Line(random.Next(1, 12)) : null;
            DateTime? until = random.Next(2) == 0 ? Line(random.Next(1, 15)) : null;
            var now = Origin + size * (random.NextDouble() * 16 - 1);
            var coverage = new List<CoverageInterval>();
            for (var n = random.Next(10); n > 0; n--)
            {
                // Mostly on the grid, sometimes of an older grid that lies across it.
                var from = random.Next(-1, 14) + (random.Next(5) == 0 ? 0.5 : 0);
                var length = random.Next(1, 6) + (random.Next(5) == 0 ? 0.5 : 0);
                coverage.Add(new(Stages[random.Next(Stages.Length)].Name, new(Origin + from * size, Origin + (from + length) * size)));
            }
            var workflow = Workflow(Stages, warmUp, until, size: size);

            var actual = OwedWindows.Find(workflow, mode, coverage, now).Select(o => $"{o.Window} {string.Join(",", o.Pipelines)}");
            actual.ShouldBe(CellByCell(workflow, mode, coverage, now).Select(o => $"{o.Window} {string.Join(",", o.Pipelines)}"), customMessage: $"case {i}");
        }
    }

    [Fact]
    public void Following_catch_up_to_its_end_covers_every_owed_cell_exactly_once_per_pipeline()
    {
        var random = new Random(11);
        for (var i = 0; i < 500; i++)
        {
            var policy = random.Next(2) == 0 ? CatchUpPolicy.OneRun : CatchUpPolicy.EachWindow;
            var workflow = Workflow(Stages, warmUp: Day(random.Next(2, 8)), catchUp: policy);
            var coverage = Enumerable.Range(0, random.Next(6))
                .Select(_ => random.Next(1, 9) is var from ? new CoverageInterval(Stages[random.Next(4)].Name, Days(from, from + random.Next(1, 4))) : null!).ToList();
            var expected = OwedWindows.Find(workflow, RunModes.Stages, coverage, Day(10)).Sum(o => o.Window.Length.Days * o.Pipelines.Count);
            var done = 0;
            while (OwedWindows.Next(workflow, RunModes.Stages, coverage, Day(10)) is { } next)
            {
                // What the planner skips is exactly what the stretch's pipelines do not name.
                var plan = RunPlanner.Plan(workflow, Run(next.Window), coverage);
                var runs = plan.Steps.Where(s => s.SkipReason is null && s.Kind != StepKinds.Control).Select(s => s.Stage).ToArray();
                runs.ShouldBe(next.Pipelines);
                done += next.Window.Length.Days * runs.Length;
                coverage.AddRange(runs.Select(r => new CoverageInterval(r, next.Window)));
            }
            done.ShouldBe(expected, customMessage: $"case {i}");
        }
    }

    private static List<CoverageInterval> Everything(double from, double to) => [.. Stages.Select(s => new CoverageInterval(s.Name, Days(from, to)))];

    /// <summary>The oracle: looks at every cell and every pipeline on its own.</summary>
    private static List<OwedWindow> CellByCell(WorkflowDefinition w, string mode, List<CoverageInterval> coverage, DateTime now)
    {
        var result = new List<OwedWindow>();
        for (var from = w.Origin; from + w.WindowSize <= now && (w.Until is null || from + w.WindowSize <= w.Until); from += w.WindowSize)
        {
            var cell = new Window(from, from + w.WindowSize);
            string[] owing = [.. w.Stages.Where(s => Owes(s, cell)).Select(s => s.Name)];
            if (owing.Length == 0)
                continue;
            if (result.Count > 0 && result[^1].Window.To == from && from != w.WarmUpUntil && result[^1].Pipelines.SequenceEqual(owing))
                result[^1] = new(new(result[^1].Window.From, cell.To), owing);
            else
                result.Add(new(cell, owing));
        }
        return result;

        bool Owes(StageDefinition stage, Window cell)
        {
            if ((mode == RunModes.MonolithTrain && stage.Kind == StepKinds.Inference) || (mode == RunModes.MonolithInfer && stage.Kind == StepKinds.Training))
                return false;
            if (stage.Kind != StepKinds.Feature && cell.From < w.WarmUpUntil)
                return false;
            // Bounds lie on half cells, so looking at both halves is exact.
            var half = w.WindowSize / 2;
            return !new[] { cell.From, cell.From + half }.All(t => coverage.Exists(c => c.Pipeline == stage.Name && c.Window.Contains(new Window(t, t + half))));
        }
    }
}
