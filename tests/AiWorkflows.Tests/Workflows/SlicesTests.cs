using AiWorkflows.Workflows;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

public class SlicesTests
{
    [Fact]
    public void Slices_are_contiguous_whole_and_about_equally_long_whatever_the_window()
    {
        var random = new Random(5);
        for (var i = 0; i < 2000; i++)
        {
            var from = Origin.AddSeconds(random.Next(10_000_000));
            var window = new Window(from, from.AddSeconds(random.Next(1, 1 << random.Next(1, 26))));
            var unit = TimeSpan.FromSeconds(random.Next(1, 100_000));
            var count = random.Next(1, 1001);
            var slices = Slices.Cut(window, count, unit, Origin);

            slices.Count.ShouldBeInRange(1, count);
            slices[0].From.ShouldBe(window.From);
            slices[^1].To.ShouldBe(window.To);
            foreach (var (slice, next) in slices.Zip(slices.Skip(1)))
                (slice.To == next.From && new WindowGrid(unit, Origin).IsAligned(slice.To)).ShouldBeTrue($"{slice} {next}");
            slices.ShouldAllBe(s => s.From < s.To && s.Length <= window.Length / count + unit + TimeSpan.FromTicks(1));
        }
    }

    [Theory]
    [InlineData(StepKinds.Feature, 3, 8, "01 02 03")]
    [InlineData(StepKinds.Feature, 10, 4, "01 03 06 08")]
    [InlineData(StepKinds.Feature, 1, 8, "01")]
    public void A_plain_feature_pipeline_gets_cells_of_the_grid_only(string kind, int days, int partitions, string starts) =>
        string.Join(' ', Of(kind, Days(1, 1 + days), partitions).Select(s => $"{s.From:dd}")).ShouldBe(starts);

    [Fact]
    public void Scoring_is_cut_at_whole_days_hours_minutes_or_seconds_as_the_window_is_long()
    {
        Of(StepKinds.Inference, Days(1, 33), 8).Select(s => s.Length.TotalDays).ShouldAllBe(d => d == 4);
        Of(StepKinds.Inference, Days(1, 31), 8).Select(s => s.Length.TotalHours).ShouldAllBe(h => h == 90);
        Of(StepKinds.Inference, Days(1, 2), 7).Select(s => (s.From.Minute, s.From.Second)).Distinct().ShouldBe([(0, 0), (25, 0), (51, 0), (17, 0), (42, 0), (8, 0), (34, 0)]);
        Of(StepKinds.Inference, new(Origin, Origin.AddSeconds(3)), 8).Count.ShouldBe(3);
    }

    private static IReadOnlyList<Window> Of(string kind, Window window, int partitions)
    {
        var stage = new StageDefinition("s", kind, null, null, null, [], 3, null, partitions);
        return Slices.Of(Workflow([stage]), stage, window);
    }
}
