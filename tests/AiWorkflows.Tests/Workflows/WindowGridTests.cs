using AiWorkflows.Workflows;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

public class WindowGridTests
{
    private static readonly WindowGrid Daily = new(TimeSpan.FromDays(1), Origin);
    private static readonly WindowGrid Weekly = new(TimeSpan.FromDays(7), Origin);

    [Fact]
    public void An_aligned_window_is_taken_as_it_is() => Daily.Require("w", Day(3), Day(5)).ShouldBe(Days(3, 5));

    [Fact]
    public void A_misaligned_window_is_refused_with_the_nearest_bounds_around_and_inside()
    {
        var error = Should.Throw<InvalidRequestException>(() => Weekly.Require("w", Day(3), Day(20)));
        error.Message.ShouldContain("cells of 7 days from 2001-01-01 on");
        error.Message.ShouldContain("--from 2001-01-01T00:00:00Z --to 2001-01-22T00:00:00Z");
        error.Message.ShouldContain("or --from 2001-01-08T00:00:00Z --to 2001-01-15T00:00:00Z");
    }

    [Fact]
    public void A_window_that_holds_no_whole_cell_is_told_only_the_bounds_around_it() =>
        Should.Throw<InvalidRequestException>(() => Daily.Require("w", Day(3.25), Day(3.5))).Message
            .ShouldEndWith("Nearest: --from 2001-01-03T00:00:00Z --to 2001-01-04T00:00:00Z.");

    [Theory]
    [InlineData(5, 3)]
    [InlineData(5, 5)]
    public void A_reversed_or_empty_window_is_refused(double from, double to) =>
        Should.Throw<InvalidRequestException>(() => Daily.Require("w", Day(from), Day(to))).Message.ShouldContain("is not after its start");

    [Fact]
    public void Local_times_are_refused() =>
        Should.Throw<InvalidRequestException>(() => Daily.Require("w", DateTime.SpecifyKind(Day(1), DateTimeKind.Local), Day(2))).Message.ShouldContain("UTC");

    [Fact]
    public void Floor_and_ceiling_enclose_every_instant_also_before_the_origin()
    {
        var random = new Random(1);
        for (var i = 0; i < 10_000; i++)
        {
            var grid = new WindowGrid(TimeSpan.FromMinutes(random.Next(1, 10_000)), Day(random.NextDouble() * 30));
            var time = Day(random.NextDouble() * 200 - 100);
            var (floor, ceiling) = (grid.Floor(time), grid.Ceiling(time));
            ((floor - grid.Origin).Ticks % grid.Size.Ticks).ShouldBe(0);
            floor.ShouldBeLessThanOrEqualTo(time);
            (time - floor).ShouldBeLessThan(grid.Size);
            ceiling.ShouldBe(floor == time ? floor : floor + grid.Size);
            grid.IsAligned(time).ShouldBe(floor == time);
        }
    }
}
