using AiWorkflows.Features;

namespace AiWorkflows.Tests.Compliance.Equality;

/// <summary>What is written comes back to the bit, and reads the same on every engine: random histories, held against a second implementation and against what was given.</summary>
public abstract class EqualityCompliance
{
    private protected abstract Task<TestStore> OpenAsync();

    public static TheoryData<int> Seeds
    {
        get
        {
            var seeds = Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1" ? 20 : 2;
            var data = new TheoryData<int>();
            for (var seed = 1; seed <= seeds; seed++)
                data.Add(seed);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Features_read_as_in_the_store_in_memory_after_any_history(int seed)
    {
        await using var store = await OpenAsync();
        (await FeaturesAsync(store, seed)).ShouldBe(await InMemoryAsync(seed));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Predictions_models_and_logs_come_back_as_they_were_given(int seed)
    {
        await using var store = await OpenAsync();
        (await new LogTranscript(store, seed).PlayAsync()).Count.ShouldBeGreaterThan(100);
    }

    private protected static async Task<IReadOnlyList<string>> FeaturesAsync(TestStore store, int seed)
    {
        await store.Features.RegisterAsync(FeatureTranscript.Groups, [], default);
        return await new FeatureTranscript(store.Features, window => store.AttemptAsync(window),
            async (attempt, seal) => (await store.Ledger.WinAsync(new(attempt) { Commit = seal }, default)).Seq, seed).PlayAsync();
    }

    private static Task<IReadOnlyList<string>> InMemoryAsync(int seed)
    {
        var store = new InMemoryFeatureStore(TimeProvider.System);
        return new FeatureTranscript(store, _ => Task.FromResult(new AttemptRef(0, 0, 1, "test")), (_, seal) => Task.FromResult(store.Publish(seal.CommitId)), seed).PlayAsync();
    }
}
