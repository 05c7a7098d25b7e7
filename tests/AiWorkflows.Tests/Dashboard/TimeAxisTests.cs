using AiWorkflows.Hosting.Dashboard.Charts;
using CsCheck;

namespace AiWorkflows.Tests.Dashboard;

public sealed class TimeAxisTests
{
    private static readonly DateTime Start = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Any_span_gets_two_to_seven_ticks_and_lies_within_the_axis() => Gen.Double[0, 4_000_000].Sample(seconds =>
    {
        var end = Start.AddSeconds(seconds);
        var axis = new TimeAxis(Start, end);
        axis.Ticks.Count.ShouldBeInRange(2, 7);
        axis.Percent(Start).ShouldBe(0);
        axis.Percent(end).ShouldBeInRange(0, 100);
    });

    [Fact]
    public void Three_minutes_are_divided_into_half_minutes()
    {
        var axis = new TimeAxis(Start, Start.AddSeconds(149));
        axis.Ticks.ShouldBe([0, 30, 60, 90, 120, 150]);
        axis.Header().ToString().ShouldContain(">12:00:00</text>");
        axis.Header().ToString().ShouldContain(">+2.5 min</text>");
    }
}
