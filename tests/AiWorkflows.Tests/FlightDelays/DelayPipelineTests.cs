using global::FlightDelays;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Flights;

public sealed class DelayPipelineTests
{
    [Fact]
    public async Task A_flight_that_lands_at_ten_sharp_belongs_to_the_next_row()
    {
        await using var host = new WorkflowTestHost(ai => ai.Add<DeparturesPipeline>());
        host.Given(
            new FlightOutcome(1, At(9, 10), "LAX", "BOS", 8, 30),
            new FlightOutcome(2, At(9, 50), "LAX", "BOS", 8, 0),
            new FlightOutcome(3, At(10), "LAX", "BOS", 8, 600));
        await host.RunAsync<DeparturesPipeline>(new Window(At(0), At(12)), TestContext.Current.CancellationToken);

        var ten = host.Rows<Departures>().Single(r => r.At == At(10));
        (ten.Landed1h, ten.Delay1h, ten.Late3h).ShouldBe((2, 15, 0.5f));
        host.Rows<Departures>().Single(r => r.At == At(10, 15)).Landed1h.ShouldBe(2, "the one of 9:10 has left the hour, the one of 10:00 has entered it");
    }

    [Fact]
    public async Task Flights_and_outcomes_are_the_same_in_one_window_and_day_by_day()
    {
        var flights = new FakeFlights(Enumerable.Range(0, 500).Select(i => Flight(i, At(1).AddMinutes(i * 17 % 5000), delay: i * 37 % 1600 - 60)));
        await using var whole = Host(flights);
        await using var daily = Host(flights);
        await RunAsync(whole, new Window(At(0), At(0).AddDays(6)));
        for (var day = 0; day < 6; day++)
            await RunAsync(daily, new Window(At(0).AddDays(day), At(0).AddDays(day + 1)));

        whole.Rows<ScheduledFlight>().Count.ShouldBe(500);
        daily.Rows<ScheduledFlight>().ShouldBe(whole.Rows<ScheduledFlight>());
        daily.Rows<FlightOutcome>().ShouldBe(whole.Rows<FlightOutcome>());
        whole.Rows<FlightOutcome>().Count.ShouldBe(500 - whole.Quarantined<FlightOutcome>().Count);
    }

    [Fact]
    public async Task Absurd_delays_are_kept_out_with_the_reason()
    {
        await using var host = Host(new FakeFlights([Flight(1, At(1), delay: -953), Flight(2, At(1), delay: -90), Flight(3, At(1), delay: 1500), Flight(4, At(1), delay: 1501)]));
        await RunAsync(host, new Window(At(0), At(0).AddDays(3)));
        host.Rows<FlightOutcome>().Select(o => o.FlightId).Order().ShouldBe([2, 3]);
        host.Quarantined<FlightOutcome>().Select(q => (q.Row.FlightId, q.Reason)).Order().ShouldBe([(1, "found -953"), (4, "found 1501")]);
    }

    [Fact]
    public async Task The_pulse_counts_departures_at_once_and_delays_with_the_landing()
    {
        await using var host = new WorkflowTestHost(ai => ai.Add<AirportPulsePipeline>());
        host.Given(
            new FlightEvent("LAX", 1, FlightMove.Departed, At(9, 10), float.NaN), new FlightEvent("LAX", 2, FlightMove.Landed, At(9, 20), 30),
            new FlightEvent("LAX", 3, FlightMove.Landed, At(9, 59), 0), new FlightEvent("LAX", 4, FlightMove.Landed, At(10), 600));
        await host.RunAsync<AirportPulsePipeline>(new Window(At(0), At(0).AddDays(1)), TestContext.Current.CancellationToken);
        var rows = host.Rows<AirportPulse>();
        rows.Single(r => r.At == At(10)).ShouldBe(new("LAX", At(10), Departed1h: 1, Landed1h: 2, Delay1h: 15, Late1h: 0.5f, Delay3h: 15, Late3h: 0.5f));
        rows.Single(r => r.At == At(11)).ShouldBe(new("LAX", At(11), 0, 1, 600, 1, 210, 2 / 3f));
        rows[^1].ShouldBe(new("LAX", At(13, 15), 0, 0, float.NaN, float.NaN, float.NaN, float.NaN), "nothing for three hours");
    }

    [Fact]
    public async Task Events_of_the_day_are_those_that_happened_on_it_and_absurd_delays_are_kept_out()
    {
        await using var host = new WorkflowTestHost(ai =>
        {
            ai.Services.AddSingleton<IFlightSource>(new FakeFlights([Flight(1, At(22), delay: 0), Flight(2, At(1), delay: -953)]));
            ai.Add<FlightEventsPipeline>();
        });
        await host.RunAsync<FlightEventsPipeline>(new Window(At(0), At(0).AddDays(1)), TestContext.Current.CancellationToken);
        host.Rows<FlightEvent>().Select(e => (e.FlightId, e.Move)).ShouldBe([(2, FlightMove.Departed), (1, FlightMove.Departed)]);
        host.Quarantined<FlightEvent>().ShouldHaveSingleItem().Reason.ShouldBe("found -953");
        await host.RunAsync<FlightEventsPipeline>(new Window(At(0).AddDays(1), At(0).AddDays(2)), TestContext.Current.CancellationToken);
        host.Rows<FlightEvent>().Single(e => e.Move == FlightMove.Landed).ShouldBe(new("BOS", 1, FlightMove.Landed, At(0).AddDays(1).AddHours(4).AddMinutes(19), 0));
    }

    [Fact]
    public async Task An_example_sees_what_was_known_at_its_moment_and_the_label_what_came_after()
    {
        await using var host = new WorkflowTestHost(ai => ai.Add<DelayView>());
        host.Given(new ScheduledFlight(1, At(12), "LAX", "BOS", 4, 2611), new ScheduledFlight(2, At(23), "LAX", "BOS", 15, 2611));
        host.Given(
            new Departures("LAX", At(11, 45), 5, 10, 11, 0.25f), new Departures("LAX", At(12), 6, 20, 12, 0.5f), new Departures("LAX", At(12, 15), 7, 99, 99, 1),
            new Departures("BOS", At(5, 45), 3, 1, 2, 0));
        host.Given(new AirportPulse("LAX", At(12), 9, 4, 7, 0.25f, 8, 0.5f), new AirportPulse("LAX", At(12, 15), 1, 1, 99, 1, 99, 1));
        host.Given(new RouteHour("LAX", "BOS", 4, At(0), 0.125f));
        host.Given(new FlightOutcome(1, At(18), "LAX", "BOS", 4, 16), new FlightOutcome(2, At(22, 59), "LAX", "BOS", 15, 500));

        var examples = await host.ExamplesAsync<DelayExample>(new Window(At(0), At(0).AddDays(1)), TestContext.Current.CancellationToken);
        examples.Count.ShouldBe(2);
        var (first, second) = (examples[0].Features, examples[1].Features);
        (first.OriginLanded, first.OriginOut, first.OriginOutLate, first.RouteHourLate, first.Gap).ShouldBe((6, 20, 0.5f, 0.125f, 0.375f));
        first.DestOut.ShouldBe(float.NaN, "the row of Boston is more than six hours old");
        (first.OriginDeparted, first.OriginIn, first.OriginInLate1h, first.OriginIn3h, first.OriginInLate).ShouldBe((9, 7, 0.25f, 8, 0.5f), "the pulse of this moment, not of a later one");
        (first.DestDeparted, first.DestIn).ShouldBe((0, float.NaN));
        examples[0].Label.ShouldBe(1);
        second.OriginLanded.ShouldBe(0, "no row of the last six hours");
        second.OriginOut.ShouldBe(float.NaN);
        examples[1].Label.ShouldBeNull("an outcome from before the departure is none");
    }

    private static WorkflowTestHost Host(IFlightSource source) => new(ai =>
    {
        ai.Services.AddSingleton(source);
        ai.Add<ScheduledFlightsPipeline>().Add<FlightOutcomesPipeline>();
    });

    private static async Task RunAsync(WorkflowTestHost host, Window window)
    {
        await host.RunAsync<ScheduledFlightsPipeline>(window, TestContext.Current.CancellationToken);
        await host.RunAsync<FlightOutcomesPipeline>(window, TestContext.Current.CancellationToken);
    }

    private static FlightRecord Flight(long id, DateTime departure, int delay) => new(id, departure, departure.AddHours(-8), "LAX", "BOS", 2611, delay);

    private static DateTime At(int hour, int minute = 0) => new(2001, 3, 1, hour, minute, 0, DateTimeKind.Utc);

    private sealed class FakeFlights(IEnumerable<FlightRecord> flights) : IFlightSource
    {
        public IAsyncEnumerable<FlightRecord> ReadAsync(Window window, CancellationToken ct) => flights.Where(f => window.Contains(f.Departure)).ToAsyncEnumerable();
    }
}
