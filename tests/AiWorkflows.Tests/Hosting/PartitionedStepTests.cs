using AiWorkflows.Hosting;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Tests.Hosting;

public class PartitionedStepTests
{
    private static readonly DateTime Now = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Partitions_are_one_line_with_their_sums_between_the_steps_around_them()
    {
        var steps = PartitionedStep.Fold(
        [
            Part("events", 0, 1, "succeeded"), Part("score", 0, 3, "succeeded", read: 5, written: 2), Part("score", 1, 3, "running", read: 1), Part("score", 2, 3, "pending"), Part("score/publish", 0, 1, "pending"),
        ]);
        steps.Select(s => (s.Step, s.State, s.RowsRead, s.RowsWritten)).ShouldBe([("events", "succeeded", 0, 0), ("score", "running", 6, 2), ("score/publish", "pending", 0, 0)]);
        (steps[1].ProgressText, steps[1].ProgressDone, steps[1].ProgressTotal, steps[1].FinishedAt).ShouldBe(("1 of 3 partitions", 1, 3, null));
    }

    [Fact]
    public void The_worst_partition_decides_and_says_which_it_is()
    {
        var step = PartitionedStep.Fold([Part("score", 0, 2, "succeeded"), Part("score", 1, 2, "failed") with { Error = "no wind", Failures = 3 }]).ShouldHaveSingleItem();
        (step.State, step.Error, step.Failures, step.Seconds).ShouldBe(("failed", "partition 2 of 2: no wind", 3, 10));
    }

    [Theory]
    [InlineData("pending", "pending")]
    [InlineData("running", "succeeded", "pending")]
    [InlineData("cancelled", "succeeded", "cancelled")]
    [InlineData("skipped", "skipped", "skipped")]
    public void A_state_for_all(string whole, params string[] parts) => PartitionedStep.State(parts).ShouldBe(whole);

    private static StepRow Part(string step, int partition, int partitions, string state, long read = 0, long written = 0) => new()
    {
        Step = step, Stage = step, Kind = "feature", Partition = partition, Partitions = partitions, State = state, RowsRead = read, RowsWritten = written,
        StartedAt = state == "pending" ? null : new Utc(Now.AddSeconds(-10)), FinishedAt = state is "succeeded" or "failed" ? new Utc(Now) : null,
    };
}
