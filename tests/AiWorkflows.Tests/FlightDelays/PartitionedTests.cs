using System.Diagnostics;
using AiWorkflows.Hosting.Cli;
using AiWorkflows.Storage.Sqlite;
using AiWorkflows.Tests.Cli;
using global::FlightDelays;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Flights;

/// <summary>The reference application with all of its stages in partitions gives what it gives without; a minute long, so behind AIWORKFLOWS_TEST_LONG=1.</summary>
[Collection(FlightDelaysCollection.Name)]
public sealed class PartitionedTests(FlightDelaysRun run)
{
    [Fact]
    public async Task Features_dataset_hash_model_hash_and_predictions_are_the_same_however_many_partitions_there_are()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1", "Takes a minute or two; set AIWORKFLOWS_TEST_LONG=1.");
        var report = new List<string>();
        foreach (var partitions in new[] { 1, 2, 5 })
        {
            using var folder = new TempFolder();
            var watch = Stopwatch.StartNew();
            var console = new TextConsole();
            await using (var app = Build(folder.Path, partitions, console))
                (await CommandLine.RunAsync(app, ["run", "flight-delays"], TestContext.Current.CancellationToken)).ShouldBe(0, console.ErrorText);
            await using var database = new SqliteDatabase(folder.File("data/aiworkflows.db"));
            await using var undisturbed = run.Open();
            (await EngineState.DifferencesAsync(undisturbed, database)).ShouldBeEmpty($"{partitions} partitions");
            var slices = await database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {workflows.stage_runs} WHERE partitions > 1 AND state = 'succeeded'", null, TestContext.Current.CancellationToken);
            (slices > 0).ShouldBe(partitions > 1);
            report.Add($"{partitions} partitions: {watch.Elapsed.TotalSeconds:0.0} s, {slices} slices");
        }
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join("; ", report));
    }

    private static WebApplication Build(string folder, int partitions, TextConsole console)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = folder });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AiWorkflows:DataDirectory"] = Path.Combine(folder, "data"), ["Logging:LogLevel:Default"] = "None",
        });
        builder.AddAiWorkflows(ai =>
        {
            ai.Services.AddSingleton<ICliConsole>(console).AddSingleton<IFlightSource, FlightSource>();
            ai.Add<DelayView>();
            ai.Workflow("flight-delays", w => w
                .Every("0 * * * *").Window(TimeSpan.FromDays(1), origin: new DateTime(2001, 1, 1)).WarmUp(until: new DateTime(2001, 6, 1)).Until(new DateTime(2001, 7, 2))
                .Stage<ScheduledFlightsPipeline>(partitions: partitions).Stage<FlightOutcomesPipeline>(partitions: partitions).Stage<DeparturesPipeline>(partitions: partitions)
                .Stage<FlightEventsPipeline>(partitions: partitions).Stage<AirportPulsePipeline>(partitions: partitions).Stage<RouteHourPipeline>(partitions: partitions).Stage<RouteDayPipeline>(partitions: partitions)
                .Stage<DelayTraining>().Stage<DelayScoring>(partitions: partitions));
        });
        var app = builder.Build();
        app.MapAiWorkflows();
        return app;
    }
}
