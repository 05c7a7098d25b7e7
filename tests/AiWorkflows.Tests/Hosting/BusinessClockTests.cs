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
    public void A_local_time_is_refused() =>
        Should.Throw<ArgumentException>(() => new BusinessClock(DateTime.SpecifyKind(Noon, DateTimeKind.Local), TimeProvider.System)).Message.ShouldContain("UTC");
}
