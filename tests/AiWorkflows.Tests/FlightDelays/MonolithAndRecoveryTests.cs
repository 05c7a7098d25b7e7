namespace AiWorkflows.Tests.Flights;

/// <summary>Whole runs beside the shared one; minutes long, so behind AIWORKFLOWS_TEST_LONG=1.</summary>
[Collection(FlightDelaysCollection.Name)]
public sealed class MonolithAndRecoveryTests(FlightDelaysRun run)
{
    [Fact]
    public async Task One_program_gives_the_same_features_model_and_predictions_as_separate_stages()
    {
        OnlyWhenLong();
        using var folder = new TempFolder();
        foreach (var mode in new[] { "train", "infer" })
        {
            var result = await FlightDelaysProcess.RunAsync(folder.Path, "run", "flight-delays", "--monolith", mode);
            result.ExitCode.ShouldBe(0, $"{mode}: {result.Output}{result.Error}");
        }
        FlightDelaysState.Differences(run.DatabasePath, folder.File("data/aiworkflows.db")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_run_that_is_killed_again_and_again_ends_as_an_undisturbed_one()
    {
        OnlyWhenLong();
        using var folder = new TempFolder();
        var random = new Random(9);
        for (var kill = 0; kill < 6; kill++)
        {
            using var process = FlightDelaysProcess.Start(folder.Path, "run", "flight-delays");
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(random.Next(1_000, 9_000)));
            if (!process.HasExited)
                process.Kill();
            await process.WaitForExitAsync();
            await Task.WhenAll(output, error);
        }
        var last = await FlightDelaysProcess.RunAsync(folder.Path, "run", "flight-delays");
        last.ExitCode.ShouldBe(0, last.Output + last.Error);
        FlightDelaysState.LostAttempts(folder.File("data/aiworkflows.db")).ShouldBeGreaterThan(0, "the kills have hit stages at work");
        FlightDelaysState.Differences(run.DatabasePath, folder.File("data/aiworkflows.db")).ShouldBeEmpty();
    }

    private static void OnlyWhenLong() =>
        Assert.SkipUnless(Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1", "Takes minutes; set AIWORKFLOWS_TEST_LONG=1.");
}
