using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What every ledger promises about hosts and what they log.</summary>
public abstract class HostCompliance : LedgerSuite
{
    [Fact]
    public async Task Log_lines_are_read_on_from_the_last_one()
    {
        await using var store = await OpenWithWorkflowAsync();
        await store.Ledger.LogAsync([.. Enumerable.Range(1, 5).Select(i => new StageLogLine(0, 1, null, null, default, "info", $"line {i}"))], default);
        var first = await store.Ledger.LogsAsync(1, 0, 3, default);
        first.Select(l => l.Message).ShouldBe(["line 1", "line 2", "line 3"]);
        (await store.Ledger.LogsAsync(1, first[^1].LogId, 10, default)).Select(l => l.Message).ShouldBe(["line 4", "line 5"]);
        first[0].LoggedAt.Year.ShouldBeGreaterThan(2020);
    }

    [Fact]
    public async Task Hosts_come_are_seen_and_go()
    {
        await using var store = await OpenWithWorkflowAsync();
        var host = new HostRecord("h", "e", 1, "serve", "http://localhost:5000", "{}", "code", default, default);
        await store.Ledger.HostSeenAsync(host, default);
        await store.Ledger.HostSeenAsync(host with { Url = null }, default);
        var seen = (await store.Ledger.HostsAsync(default)).ShouldHaveSingleItem();
        (seen.Host, seen.Url).ShouldBe(("h", null));
        seen.LastSeen.ShouldBeGreaterThanOrEqualTo(seen.StartedAt);
        await store.Ledger.HostGoneAsync("h", default);
        (await store.Ledger.HostsAsync(default)).ShouldBeEmpty();
    }
}
