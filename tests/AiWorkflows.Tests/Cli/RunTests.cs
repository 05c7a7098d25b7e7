namespace AiWorkflows.Tests.Cli;

/// <summary><c>run</c> from nothing to predictions.</summary>
public sealed class RunTests
{
    [Fact]
    public async Task It_covers_everything_that_is_owed_and_then_nothing_is()
    {
        await using var host = new ShopHost();
        var first = await host.RunAsync("run", "shop");
        first.Code.ShouldBe(0, first.ToString());
        TestContext.Current.TestOutputHelper!.WriteLine(first.ToString());
    }
}
