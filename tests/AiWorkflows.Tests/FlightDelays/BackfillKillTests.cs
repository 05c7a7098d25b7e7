using Microsoft.Data.Sqlite;

namespace AiWorkflows.Tests.Flights;

/// <summary>Two months of history in 59 windows, killed again and again; minutes long, so behind AIWORKFLOWS_TEST_LONG=1.</summary>
[Collection(FlightDelaysCollection.Name)]
public sealed class BackfillKillTests(FlightDelaysRun run)
{
    private const int Kills = 20;
    private static readonly string[] Command = ["backfill", "flight-delays", "--from", "2001-01-01", "--to", "2001-03-01", "--every", "1d", "--parallel", "2"];

    [Fact]
    public async Task A_backfill_that_is_killed_twenty_times_ends_in_the_same_state_as_an_undisturbed_one()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1", "Takes minutes; set AIWORKFLOWS_TEST_LONG=1.");
        using var undisturbed = await PrepareAsync();
        var once = await FlightDelaysProcess.RunAsync(undisturbed.Path, Command);
        once.ExitCode.ShouldBe(0, once.Output + once.Error);

        using var killed = await PrepareAsync();
        var random = new Random(20);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var kills = 0;
        while (kills < Kills)
        {
            using var process = FlightDelaysProcess.Start(killed.Path, Command);
            var error = process.StandardError.ReadToEndAsync();
            // It has asked for its backfill, or found it, and is at work or about to be.
            (await process.StandardOutput.ReadLineAsync()).ShouldNotBeNull();
            var output = process.StandardOutput.ReadToEndAsync();
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(random.Next(100, 3_000)));
            process.HasExited.ShouldBeFalse($"it was done after {kills} kills: {await Text(process, output)}");
            process.Kill();
            kills++;
            await process.WaitForExitAsync();
            await Task.WhenAll(output, error);
        }
        var last = await FlightDelaysProcess.RunAsync(killed.Path, Command);
        last.ExitCode.ShouldBe(0, last.Output + last.Error);

        var file = Database(killed);
        FlightDelaysState.LostAttempts(file).ShouldBeGreaterThan(0, "the kills have hit stages at work");
        FlightDelaysState.Differences(Database(undisturbed), file).ShouldBeEmpty();
        foreach (var database in new[] { Database(undisturbed), file })
            Count(database, "SELECT COUNT(*) FROM workflows_runs WHERE backfill_id = 1 AND state = 'succeeded'").ShouldBe(59);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{kills} kills in {watch.Elapsed.TotalSeconds:0} s, undisturbed {once.Duration.TotalSeconds:0} s, {Count(file, "SELECT SUM(lost) FROM workflows_stage_runs")} attempts lost, "
            + $"{Count(file, "SELECT COUNT(*) FROM prediction_log_predictions")} predictions");
    }

    private static async Task<string> Text(System.Diagnostics.Process process, Task<string> output) => process.HasExited ? await output : "";

    /// <summary>An empty store that knows the model of the shared run, so that there is something to predict with.</summary>
    private async Task<TempFolder> PrepareAsync()
    {
        var folder = new TempFolder();
        var migrated = await FlightDelaysProcess.RunAsync(folder.Path, "migrate");
        migrated.ExitCode.ShouldBe(0, migrated.Output + migrated.Error);
        using var connection = new SqliteConnection($"Data Source={Database(folder)};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "ATTACH $run AS run;" + string.Join(";", new[]
        {
            "model_registry_models", "model_registry_versions", "model_registry_artifacts", "model_registry_aliases", "feature_store_training_datasets",
        }.Select(table => $"INSERT INTO main.{table} SELECT * FROM run.{table}"));
        command.Parameters.AddWithValue("$run", run.DatabasePath);
        command.ExecuteNonQuery();
        return folder;
    }

    private static string Database(TempFolder folder) => folder.File("data/aiworkflows.db");

    private static long Count(string file, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
