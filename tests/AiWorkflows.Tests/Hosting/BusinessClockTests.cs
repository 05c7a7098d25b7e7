using Microsoft.Extensions.Time.Testing;

namespace AiWorkflows.Tests.Hosting;

public class BusinessClockTests
{
    private static readonly DateTime Noon = new(2001, 7, 2, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Without_an_instant_it_goes_with_the_system()
    {
        var system = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var clock = new BusinessClock(null, system);

        system.Advance(TimeSpan.FromHours(1));

        clock.Stands.ShouldBeFalse();
        clock.GetUtcNow().ShouldBe(system.GetUtcNow());
    }

    [Fact]
    public void It_stands_at_its_instant_until_it_is_moved()
    {
        var system = new FakeTimeProvider();
        var clock = new BusinessClock(Noon, system);

        system.Advance(TimeSpan.FromDays(1));
        clock.GetUtcNow().UtcDateTime.ShouldBe(Noon);
        clock.MoveTo(Noon.AddHours(1));

        clock.GetUtcNow().UtcDateTime.ShouldBe(Noon.AddHours(1));
        clock.Stands.ShouldBeTrue();
    }

    [Fact]
    public void In_a_replay_it_runs_so_many_times_as_fast_as_the_system_and_stops_at_the_end()
    {
        var system = new FakeTimeProvider();
        var clock = new BusinessClock(Noon, system);
        clock.Run(Noon, 3600, Noon.AddDays(1));
        (clock.Stands, clock.Speed).ShouldBe((false, 3600));
        clock.RealTimeTo(Noon.AddHours(1)).ShouldBe(TimeSpan.FromSeconds(1));

        system.Advance(TimeSpan.FromSeconds(1.5));
        clock.GetUtcNow().UtcDateTime.ShouldBe(Noon.AddHours(1.5));
        clock.RealTimeTo(Noon.AddHours(1)).ShouldBe(TimeSpan.Zero);
        clock.RealTimeTo(Noon.AddDays(2)).ShouldBeNull();

        system.Advance(TimeSpan.FromSeconds(22.5));
        clock.GetUtcNow().UtcDateTime.ShouldBe(Noon.AddDays(1));
        system.Advance(TimeSpan.FromDays(1000));
        clock.GetUtcNow().UtcDateTime.ShouldBe(Noon.AddDays(1));
    }

    [Fact]
    public void Neither_the_highest_speed_nor_the_longest_history_is_too_much_for_it()
    {
        var system = new FakeTimeProvider();
        var clock = new BusinessClock(null, system);
        clock.Run(new(1900, 1, 1, 0, 0, 0, DateTimeKind.Utc), 1_000_000, Noon);
        system.Advance(TimeSpan.FromDays(365 * 100));
        clock.GetUtcNow().UtcDateTime.ShouldBe(Noon);
    }

    [Fact]
    public void A_local_time_is_refused() =>
        Should.Throw<ArgumentException>(() => new BusinessClock(DateTime.SpecifyKind(Noon, DateTimeKind.Local), TimeProvider.System)).Message.ShouldContain("UTC");
}
