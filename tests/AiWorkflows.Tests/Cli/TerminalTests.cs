using AiWorkflows.Hosting.Cli;

namespace AiWorkflows.Tests.Cli;

/// <summary>What a person at a terminal sees instead of plain lines.</summary>
public sealed class TerminalTests(FinishedShop shop) : IClassFixture<FinishedShop>
{
    [Fact]
    public async Task Lists_are_tables_and_JSON_stays_JSON()
    {
        (await RunAsync("features", "list")).ShouldMatch("─{10}");
        (await RunAsync("features", "list")).ShouldContain("shop_sales");
        (await RunAsync("features", "list", "--json")).TrimStart().ShouldStartWith("[");
        (await RunAsync("sql", "SELECT '[not markup]' AS a")).ShouldContain("[not markup]");
    }

    [Fact]
    public async Task A_run_is_a_table_with_a_line_for_each_step_that_ends_with_all_of_them_done()
    {
        await using var copy = shop.Copy();
        var console = new TextConsole { IsTerminal = true };
        await using var app = copy.Build(console);
        (await CommandLine.RunAsync(app, ["run", "shop", "--from", "2024-02-01", "--to", "2024-02-02"], TestContext.Current.CancellationToken)).ShouldBe(0, console.ErrorText);
        console.OutText.ShouldMatch(@"✓ +purchase\b[\s\S]*✓ +buy-scoring/outcomes");
        console.OutText.ShouldContain("succeeded in");
    }

    private async Task<string> RunAsync(params string[] args)
    {
        var console = new TextConsole { IsTerminal = true };
        await using var app = shop.Host.Build(console);
        (await CommandLine.RunAsync(app, args, TestContext.Current.CancellationToken)).ShouldBe(0, console.ErrorText);
        return console.OutText;
    }
}
