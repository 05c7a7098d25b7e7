using AiWorkflows.Inference;
using Microsoft.Extensions.Logging.Abstractions;

namespace AiWorkflows.Tests.Inference.Online;

public sealed class GroupCommitTests
{
    [Fact]
    public async Task Requests_that_come_during_a_transaction_share_the_next_one()
    {
        var log = new GatedLog();
        await using var commits = new GroupCommit(log, 1000, NullLogger.Instance);
        var first = commits.AppendAsync(Entry(0));
        await log.Entered.WaitAsync(TestContext.Current.CancellationToken);
        var others = Enumerable.Range(1, 100).Select(i => commits.AppendAsync(Entry(i))).ToArray();
        others.ShouldAllBe(t => !t.IsCompleted);
        log.Open();
        (await first).ShouldBe(Logged.Written);
        (await Task.WhenAll(others)).ShouldAllBe(logged => logged == Logged.Written);
        log.Transactions.ShouldBe([1, 100]);
    }

    [Fact]
    public async Task Beyond_its_capacity_requests_are_turned_away_and_nothing_is_dropped()
    {
        var log = new GatedLog();
        await using var commits = new GroupCommit(log, 10, NullLogger.Instance);
        var accepted = Enumerable.Range(0, 10).Select(i => commits.AppendAsync(Entry(i))).ToArray();
        await log.Entered.WaitAsync(TestContext.Current.CancellationToken);
        Should.Throw<OverloadedException>(() => commits.AppendAsync(Entry(10)));
        log.Open();
        await Task.WhenAll(accepted);
        (await commits.AppendAsync(Entry(11))).ShouldBe(Logged.Written);
        log.Ordinals.Order().ShouldBe([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
    }

    [Fact]
    public async Task What_could_not_be_logged_is_not_answered_and_the_next_is_tried_again()
    {
        var log = new GatedLog { Failures = 1 };
        log.Open();
        await using var commits = new GroupCommit(log, 10, NullLogger.Instance);
        await Should.ThrowAsync<IOException>(() => commits.AppendAsync(Entry(0)));
        (await commits.AppendAsync(Entry(1))).ShouldBe(Logged.Written);
        log.Ordinals.ShouldBe([1]);
    }

    [Fact]
    public async Task A_host_that_stops_logs_what_waits_and_takes_no_more()
    {
        var log = new GatedLog();
        var commits = new GroupCommit(log, 10, NullLogger.Instance);
        var waiting = commits.AppendAsync(Entry(0));
        var stopping = commits.DisposeAsync();
        Should.Throw<OverloadedException>(() => commits.AppendAsync(Entry(1)));
        log.Open();
        await stopping;
        (await waiting).ShouldBe(Logged.Written);
    }

    [Fact]
    public async Task Behind_a_transaction_that_does_not_end_requests_give_up_and_are_left_out_of_the_log()
    {
        var log = new GatedLog();
        await using var commits = new GroupCommit(log, 10, NullLogger.Instance, TimeSpan.FromMilliseconds(200));
        var writing = commits.AppendAsync(Entry(0));
        await log.Entered.WaitAsync(TestContext.Current.CancellationToken);
        var behind = commits.AppendAsync(Entry(1));
        await Should.ThrowAsync<OverloadedException>(() => writing);
        await Should.ThrowAsync<OverloadedException>(() => behind);
        // Whoever comes now does not wait at all.
        var late = commits.AppendAsync(Entry(2));
        late.IsFaulted.ShouldBeTrue();
        (await commits.TakesRowsAsync()).ShouldBeFalse();
        log.Open();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await commits.TakesRowsAsync())
            await Task.Delay(10, patience.Token);
        (await commits.AppendAsync(Entry(3))).ShouldBe(Logged.Written);
        // What was being written has been written, which its client hears when it asks again with its id; what waited has not.
        log.Ordinals.ShouldBe([0, 3]);
    }

    private static LogEntry Entry(int ordinal) => new([Row(ordinal)], IsAssumed: false);

    private static OnlineRow Row(int ordinal) =>
        new(1, ordinal, null, 0, null, "[1]", DateTime.UnixEpoch, DateTime.UnixEpoch, 0, new(1, null, null, "{}", "{}", 0), "{}", "[]");

    private sealed class GatedLog : IOnlineLog
    {
        private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SemaphoreSlim Entered { get; } = new(0);

        public List<int> Transactions { get; } = [];

        public List<int> Ordinals { get; } = [];

        public int Failures { get; set; }

        public void Open() => _gate.TrySetResult();

        public Task<long> OpenAsync(OnlineBatch batch, CancellationToken ct) => Task.FromResult(1L);

        public async Task<IReadOnlyList<Logged>> AppendAsync(IReadOnlyList<LogEntry> requests, CancellationToken ct)
        {
            Entered.Release();
            await _gate.Task;
            if (Failures-- > 0)
                throw new IOException("disk gone");
            Transactions.Add(requests.Count);
            Ordinals.AddRange(requests.SelectMany(r => r.Rows).Select(r => r.Ordinal));
            return [.. requests.Select(_ => Logged.Written)];
        }

        public Task<IReadOnlyList<AnsweredRow>> AnsweredAsync(string requestId, CancellationToken ct) => Task.FromResult<IReadOnlyList<AnsweredRow>>([]);
    }
}
