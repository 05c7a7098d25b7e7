namespace AiWorkflows.Tests;

public class WindowTests
{
    private static DateTime Day(int day) => new(2001, 1, day, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void A_window_contains_its_start_and_not_its_end()
    {
        var window = new Window(Day(1), Day(2));
        window.Contains(Day(1)).ShouldBeTrue();
        window.Contains(Day(2)).ShouldBeFalse();
    }

    [Fact]
    public void Windows_that_touch_do_not_overlap()
    {
        new Window(Day(1), Day(2)).Overlaps(new Window(Day(2), Day(3))).ShouldBeFalse();
        new Window(Day(1), Day(3)).Overlaps(new Window(Day(2), Day(4))).ShouldBeTrue();
    }

    [Fact]
    public void A_local_or_unspecified_bound_is_refused() =>
        Should.Throw<ArgumentException>(() => new Window(DateTime.SpecifyKind(Day(1), DateTimeKind.Local), Day(2))).Message.ShouldContain("UTC");

    [Fact]
    public void A_window_that_ends_before_it_starts_is_refused() =>
        Should.Throw<ArgumentException>(() => new Window(Day(2), Day(1))).Message.ShouldContain("lies before");

    [Fact]
    public void Microseconds_since_1970_survive_the_round_trip()
    {
        foreach (var time in new[] { Day(1), DateTime.UnixEpoch, new DateTime(1969, 12, 31, 23, 59, 59, 999, 999, DateTimeKind.Utc), DateTime.MinValue, DateTime.MaxValue })
        {
            var utc = new DateTime(time.Ticks / 10 * 10, DateTimeKind.Utc);
            Timestamps.FromMicros(Timestamps.ToMicros(utc)).ShouldBe(utc);
        }
    }
}
