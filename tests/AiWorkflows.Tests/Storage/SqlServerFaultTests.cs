using System.Diagnostics;
using AiWorkflows.Features;
using AiWorkflows.Storage.SqlServer;
using AiWorkflows.Tests.Compliance;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Storage;

/// <summary>Connections that break, processes that stand still and a server that is away, on a real network between a host and SQL Server.</summary>
public sealed class SqlServerFaultTests : IAsyncLifetime
{
    private TestStore _server = null!;
    private TdsProxy _proxy = null!;
    private TestStore _host = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await SqlServerTestStore.OpenAsync();
        _proxy = new TdsProxy(((SqlServerDatabase)_server.Database).ConnectionString);
        _host = SqlServerTestStore.Over(_proxy.ConnectionString);
        await Readings.RegisterAsync(_host.Features);
        await _host.Ledger.RegisterWorkflowsAsync([("w", 1000, OverlapPolicy.Queue)], default);
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        if (_proxy is not null)
            await _proxy.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Winning_is_one_round_trip_whatever_is_published()
    {
        var attempt = await _host.AttemptAsync(Readings.Day);
        await using var writer = await WriteAsync(_host, attempt, 1);
        var before = _proxy.Requests;
        (await _host.Ledger.WinAsync(Publication(attempt, writer), default)).Outcome.ShouldBe(PublishOutcome.Published);
        (_proxy.Requests - before).ShouldBe(1);
    }

    [Fact]
    public async Task A_host_that_stands_still_after_winning_holds_no_lock()
    {
        var attempt = await _host.AttemptAsync(Readings.Day);
        await using var writer = await WriteAsync(_host, attempt, 1);
        _proxy.Next(r => r.Commits, TdsFate.FreezeAnswer);
        var winning = _host.Ledger.WinAsync(Publication(attempt, writer), default);
        await _proxy.Answered.WaitAsync(TimeSpan.FromSeconds(20));

        // It has heard nothing yet; everybody else sees what it has published, and goes on publishing.
        winning.IsCompleted.ShouldBeFalse();
        (await _server.Features.CurrentSeqAsync(default)).ShouldBe(1);
        (await _server.Ledger.ExpireAsync(true, 10, default)).ShouldBe(0);
        var watch = Stopwatch.StartNew();
        (await Readings.PublishAsync(_server, Readings.Day, Readings.Row("b", 2, 2))).ShouldBe(2);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
        winning.IsCompleted.ShouldBeFalse();

        _proxy.Thaw();
        (await winning).Seq.ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_breaks_while_winning_publishes_once(bool committed)
    {
        var attempt = await _host.AttemptAsync(Readings.Day);
        await using var writer = await WriteAsync(_host, attempt, 1);
        _proxy.Next(r => r.Commits, committed ? TdsFate.CutAnswer : TdsFate.CutBefore);
        var won = await _host.Ledger.WinAsync(Publication(attempt, writer), default);
        _proxy.IsMet.ShouldBeTrue();
        (won.Outcome, won.Seq).ShouldBe((PublishOutcome.Published, 1));
        (await _server.Features.CurrentSeqAsync(default)).ShouldBe(1);
        (await Readings.AsOfAsync(_server.Features, 1, Readings.Day)).ShouldHaveSingleItem();
        (await _server.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome = 'succeeded'")).ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_breaks_while_claiming_claims_once(bool committed)
    {
        var run = await _host.StartRunAsync(Readings.Day, "a");
        var step = (await _host.Ledger.AdvanceAsync(run, "e", 9, default)).Dispatched.Single();
        _proxy.Next(r => r.Commits, committed ? TdsFate.CutAnswer : TdsFate.CutBefore);
        var claim = await _host.Ledger.ClaimAsync(step.StageRunId, new(Guid.NewGuid(), "host", "job", "code", TimeSpan.FromMinutes(1)), default);
        _proxy.IsMet.ShouldBeTrue();
        claim.Lease!.Attempt.ShouldBe(1);
        (await _server.CountAsync("SELECT COUNT(*) FROM {workflows.attempts}")).ShouldBe(1);

        _proxy.Next(r => r.Commits, committed ? TdsFate.CutAnswer : TdsFate.CutBefore);
        var failed = (await _host.Ledger.FailAsync(new(run, step.StageRunId, 1, "a"), "boom", TimeSpan.Zero, false, default))!;
        (failed.State, failed.Failures).ShouldBe((States.Pending, 1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_breaks_while_requesting_makes_one_run(bool committed)
    {
        _proxy.Next(r => r.Commits, committed ? TdsFate.CutAnswer : TdsFate.CutBefore);
        var (run, _) = await _host.Ledger.RequestAsync(new("w", Readings.Day, "ada", "manual", DedupKey: "k"), default);
        _proxy.IsMet.ShouldBeTrue();
        (await _server.Ledger.OpenRunsAsync(default)).ShouldHaveSingleItem().RunId.ShouldBe(run);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rows_are_written_once_when_the_connection_breaks_under_their_writer(bool committed)
    {
        var attempt = await _host.AttemptAsync(Readings.Day);
        await using var writer = await _host.Features.OpenCommitAsync(Readings.Commit(attempt, Readings.Day), default);
        _proxy.Next(r => r.Commits, committed ? TdsFate.CutAnswer : TdsFate.CutBefore);
        await writer.WriteAsync(new Readings.Batch([.. Enumerable.Range(0, 3000).Select(i => Readings.Row($"s{i}", i % 24, i))], []), default);
        _proxy.IsMet.ShouldBeTrue();
        Readings.Read(_server.Features.Scan(Readings.Group, Readings.Group.Columns, Readings.Day)).Count.ShouldBe(3000);
    }

    [Fact]
    public async Task A_server_that_is_away_for_some_seconds_is_waited_for()
    {
        var attempt = await _host.AttemptAsync(Readings.Day);
        await using var writer = await WriteAsync(_host, attempt, 1);
        _proxy.GoDown();
        var winning = _host.Ledger.WinAsync(Publication(attempt, writer), default);
        var reading = _host.Ledger.OpenRunsAsync(default);
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        winning.IsCompleted.ShouldBeFalse();
        _proxy.ComeBack();
        (await winning).Seq.ShouldBe(1);
        (await reading).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_deadlocks_victim_is_done_again()
    {
        foreach (var workflow in (string[])["a", "b"])
            await _host.Ledger.RegisterWorkflowsAsync([(workflow, 1, OverlapPolicy.Queue)], default);
        using var both = new Barrier(2);
        var runs = 0;
        Task TouchAsync(string first, string second) => Task.Run(() => _host.Database.WriteAsync(async tx =>
        {
            var isFirst = Interlocked.Increment(ref runs) <= 2;
            await tx.ExecuteAsync("UPDATE {workflows.workflows} SET touch = touch + 1 WHERE workflow = @Name", new { Name = first });
            if (isFirst)
                both.SignalAndWait(TimeSpan.FromSeconds(20)).ShouldBeTrue();
            await tx.ExecuteAsync("UPDATE {workflows.workflows} SET touch = touch + 1 WHERE workflow = @Name", new { Name = second });
        }, default));
        await Task.WhenAll(TouchAsync("a", "b"), TouchAsync("b", "a"));
        runs.ShouldBe(3);
        (await _server.CountAsync("SELECT SUM(touch) FROM {workflows.workflows} WHERE workflow IN ('a', 'b')")).ShouldBe(4);
    }

    private static async Task<ICommitWriter> WriteAsync(TestStore store, AttemptRef attempt, double value)
    {
        var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, Readings.Day), default);
        await writer.WriteAsync(new Readings.Batch([Readings.Row("a", 1, value)], []), default);
        return writer;
    }

    /// <summary>With inputs, touched days and coverage: as much as one commit can bring.</summary>
    private static Publication Publication(AttemptRef attempt, ICommitWriter writer) => new(attempt)
    {
        Commit = Readings.Seal(writer, Readings.Day, 1, inputs: [new("raw", 1, 0, Readings.Day), new("rates", 1, 0, Readings.Day)]),
        Coverage = (Readings.Day, Readings.Start),
    };
}
