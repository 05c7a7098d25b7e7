using AiWorkflows.Tests.Compliance.Simulation;
using AiWorkflows.Tests.Storage;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Tests.Compliance;

/// <summary>
/// Whether the simulation would notice a guard of the ledger that went missing: each is weakened in turn, and random worlds are tried until one breaks.
/// A guard whose text has changed can no longer be weakened and fails here too, so the list keeps up with the ledger.
/// </summary>
public class LedgerMutantTests
{
    private const int MostWorlds = 60;
    private const int WorldsOfRedundant = 4;

    /// <summary>Those that the first worlds notice, which is quick enough for every test run.</summary>
    private static readonly HashSet<string> Always = ["a claim takes a row in any state", "a win takes a row in any state"];

    private static bool AtLength => Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_MUTANTS") == "1";

    public static TheoryData<string> Caught => [.. Mutant.All.Where(m => m.Redundant is null).Select(m => m.Name)];

    public static TheoryData<string> Redundant => [.. Mutant.All.Where(m => m.Redundant is not null).Select(m => m.Name)];

    [Theory]
    [MemberData(nameof(Caught))]
    public async Task A_world_breaks_without_the_guard(string name)
    {
        Assert.SkipUnless(AtLength || Always.Contains(name), "Takes a quarter of an hour; set AIWORKFLOWS_TEST_MUTANTS=1.");
        var tried = new Trial(name);
        for (var seed = 1; seed <= MostWorlds; seed++)
            if (await tried.BreakAsync(seed) is { } violation)
            {
                TestContext.Current.TestOutputHelper?.WriteLine(violation);
                return;
            }
        tried.RequirePlanted();
        Assert.Fail($"{name}: {MostWorlds} worlds have not noticed");
    }

    [Theory]
    [MemberData(nameof(Redundant))]
    public async Task No_world_breaks_without_a_guard_that_another_one_backs(string name)
    {
        Assert.SkipUnless(AtLength, "Takes a quarter of an hour; set AIWORKFLOWS_TEST_MUTANTS=1.");
        var tried = new Trial(name);
        for (var seed = 1; seed <= WorldsOfRedundant; seed++)
            (await tried.BreakAsync(seed)).ShouldBeNull($"{name} is not redundant");
        tried.RequirePlanted();
    }

    private sealed class Trial(string name)
    {
        private readonly Mutant _mutant = Mutant.All.Single(m => m.Name == name);
        private bool _planted;

        /// <summary>How the world of this seed has broken; null where it has not.</summary>
        public async Task<string?> BreakAsync(int seed)
        {
            MutatedDatabase? database = null;
            await using var store = await SqliteTestStore.OpenAsync(inMemory: true, path => database = new MutatedDatabase(path, _mutant));
            try
            {
                await new SimulatedWorld(store, seed).RunAsync();
                return null;
            }
            catch (SqliteException e) when (e.SqliteErrorCode == SQLitePCL.raw.SQLITE_ERROR)
            {
                throw new InvalidOperationException($"the mutant '{name}' is no SQL: {e.Message}", e);
            }
            catch (Exception e) when (database!.Planted)
            {
                return $"seed {seed}: {e.Message.ReplaceLineEndings(" ")}";
            }
            finally
            {
                _planted |= database!.Planted;
            }
        }

        public void RequirePlanted() => _planted.ShouldBeTrue($"the guard of '{name}' was found in no statement: the ledger has changed, so the mutant has to");
    }
}
