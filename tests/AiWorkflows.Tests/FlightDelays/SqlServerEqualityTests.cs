using System.Diagnostics;
using AiWorkflows.Storage.SqlServer;
using AiWorkflows.Tests.Storage;

namespace AiWorkflows.Tests.Flights;

/// <summary>The reference application on SQL Server gives what it gives on the embedded engine; minutes long, so behind AIWORKFLOWS_TEST_LONG=1.</summary>
[Collection(FlightDelaysCollection.Name)]
public sealed class SqlServerEqualityTests(FlightDelaysRun run)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    [Fact]
    public async Task Features_dataset_model_and_predictions_are_those_of_the_embedded_engine()
    {
        await using var database = await CreateAsync();
        using var folder = new TempFolder();

        var result = await FlightDelaysProcess.RunAsync(folder.Path, Settings(database), "run", "flight-delays");

        result.ExitCode.ShouldBe(0, result.Output + result.Error);
        result.Output.ShouldContain("sql \"SELECT TOP (10) event_time, entity_key, probability, actual FROM prediction_log.scored\"");
        TestContext.Current.TestOutputHelper?.WriteLine($"{result.Duration.TotalSeconds:F1} s, peak {result.PeakBytes >> 20} MB");
        await ShouldBeAsUndisturbedAsync(database);
    }

    [Fact]
    public async Task Two_hosts_share_a_run_and_when_one_is_killed_the_other_ends_it_as_if_nothing_had_been()
    {
        await using var database = await CreateAsync();
        using var folder = new TempFolder();
        (await FlightDelaysProcess.RunAsync(folder.Path, Settings(database), "migrate")).ExitCode.ShouldBe(0);
        using var first = Serve(folder.File("first"), database);
        using var second = Serve(folder.File("second"), database);
        try
        {
            await UntilAsync(async () => await CountAsync(database, "ended_at IS NOT NULL", first) > 0 && await CountAsync(database, "ended_at IS NOT NULL", second) > 0, "both hosts have done something");
            await UntilAsync(async () => await CountAsync(database, "ended_at IS NULL", first) > 0, "the first host is at work");
            first.Kill();
            await first.WaitForExitAsync(TestContext.Current.CancellationToken);

            var follower = await FlightDelaysProcess.RunAsync(folder.File("second"), Settings(database), "run", "flight-delays");
            follower.ExitCode.ShouldBe(0, follower.Output + follower.Error);
        }
        finally
        {
            first.Kill();
            second.Kill();
            await second.WaitForExitAsync(CancellationToken.None);
        }
        (await ScalarAsync(database, "SELECT COUNT_BIG(*) FROM workflows.stage_runs WHERE lost > 0")).ShouldBeGreaterThan(0, "the kill has hit a stage at work");
        await ShouldBeAsUndisturbedAsync(database);
    }

    private static async Task<SqlServerDatabase> CreateAsync()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1", "Takes minutes; set AIWORKFLOWS_TEST_LONG=1.");
        return new SqlServerDatabase(SqlServerTestDatabase.ConnectionString(await SqlServerTestDatabase.CreateAsync()));
    }

    private static Dictionary<string, string> Settings(SqlServerDatabase database) => new() { ["Engine"] = "SqlServer", ["ConnectionString"] = database.ConnectionString };

    private static Process Serve(string folder, SqlServerDatabase database)
    {
        Directory.CreateDirectory(folder);
        var process = FlightDelaysProcess.Start(folder, Settings(database), "serve", "--urls", "http://127.0.0.1:0");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private async Task ShouldBeAsUndisturbedAsync(SqlServerDatabase database)
    {
        await using var undisturbed = run.Open();
        (await EngineState.DifferencesAsync(undisturbed, database)).ShouldBeEmpty();
    }

    /// <summary>The attempts of a host; its name holds the number of its process.</summary>
    private static Task<long> CountAsync(SqlServerDatabase database, string which, Process host) =>
        ScalarAsync(database, $"SELECT COUNT_BIG(*) FROM workflows.attempts WHERE {which} AND host LIKE N'%:{host.Id}:%'");

    private static async Task<long> ScalarAsync(SqlServerDatabase database, string sql) => await database.ReadFirstAsync<long>(sql, null, TestContext.Current.CancellationToken);

    private static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var started = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await condition())
        {
            if (started.Elapsed > Patience)
                throw new TimeoutException($"Waited in vain until {what}.");
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
