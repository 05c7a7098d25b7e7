using AiWorkflows.Tests.Compliance;
using AiWorkflows.Tests.Compliance.Equality;

namespace AiWorkflows.Tests.Storage;

public class SqliteEqualityTests : EqualityCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync(inMemory: true);
}

public class SqlServerEqualityTests : EqualityCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Both_engines_tell_the_same_after_the_same_history(int seed)
    {
        await using var server = await OpenAsync();
        await using var embedded = await SqliteTestStore.OpenAsync(inMemory: true);
        (await FeaturesAsync(server, seed)).ShouldBe(await FeaturesAsync(embedded, seed));
        (await new LogTranscript(server, seed).PlayAsync()).ShouldBe(await new LogTranscript(embedded, seed).PlayAsync());
    }
}
