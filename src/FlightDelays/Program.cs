using AiWorkflows;
using FlightDelays;

var builder = WebApplication.CreateBuilder(args);

builder.AddAiWorkflows(ai =>
{
    ai.Services.AddSingleton<IFlightSource, FlightSource>();
    ai.Add<DelayView>();

    ai.Stream<FlightEvent>("flights", s => s
        .PartitionBy(e => e.Airport, partitions: 4)
        .Lateness(TimeSpan.FromHours(2))
        .Feed<AirportPulsePipeline>()
        .Replay<FlightHistory>());

    ai.Workflow("flight-delays", w => w
        .Every("0 * * * *")
        .Window(TimeSpan.FromDays(1), origin: new DateTime(2001, 1, 1))
        .WarmUp(until: new DateTime(2001, 6, 1))
        .Until(new DateTime(2001, 7, 2))
        .Stage<ScheduledFlightsPipeline>()
        .Stage<FlightOutcomesPipeline>()
        .Stage<FlightEventsPipeline>()
        .Stage<DeparturesPipeline>()
        .Stage<RouteHourPipeline>()
        .Stage<RouteDayPipeline>()
        .Stage<AirportPulsePipeline>()
        .Stage<DelayTraining>()
        .Stage<DelayScoring>());
});

var app = builder.Build();
app.MapAiWorkflows();
return await app.RunAiWorkflowsAsync(args);
