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
        var first = commits.AppendAsync([Row(0)]);
        await log.Entered.WaitAsync(TestContext.Current.CancellationToken);
        var others = Enumerable.Range(1, 100).Select(i => commits.AppendAsync([Row(i)])).ToArray();
        others.ShouldAllBe(t => !t.IsCompleted);
        log.Open();
        (await first).ShouldBeTrue();
        (await Task.WhenAll(others)).ShouldAllBe(logged => logged);
        log.Transactions.ShouldBe([1, 100]);
    }

    [Fact]
    public async Task Beyond_its_capacity_requests_are_turned_away_and_nothing_is_dropped()
    {
        var log = new GatedLog();
        await using var commits = new GroupCommit(log, 10, NullLogger.Instance);
        var accepted = Enumerable.Range(0, 10).Select(i => commits.AppendAsync([Row(i)])).ToArray();
        await log.Entered.WaitAsync(TestContext.Current.CancellationToken);
        Should.Throw<OverloadedException>(() => commits.AppendAsync([Row(10)]));
        log.Open();
        await Task.WhenAll(accepted);
        (await commits.AppendAsync([Row(11)])).ShouldBeTrue();
        log.Logged.Order().ShouldBe([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
    }

    [Fact]
    public async Task What_could_not_be_logged_is_not_answered_and_the_next_is_tried_again()
    {
        var log = new GatedLog { Failures = 1 };
        log.Open();
        await using var commits = new GroupCommit(log, 10, NullLogger.Instance);
        await Should.ThrowAsync<IOException>(() => commits.AppendAsync([Row(0)]));
        (await commits.AppendAsync([Row(1)])).ShouldBeTrue();
        log.Logged.ShouldBe([1]);
    }

    [Fact]
    public async Task A_host_that_stops_logs_what_waits_and_takes_no_more()
    {
        var log = new GatedLog();
        var commits = new GroupCommit(log, 10, NullLogger.Instance);
        var waiting = commits.AppendAsync([Row(0)]);
        var stopping = commits.DisposeAsync();
        Should.Throw<OverloadedException>(() => commits.AppendAsync([Row(1)]));
        log.Open();
        await stopping;
        (await waiting).ShouldBeTrue();
    }

    [Fact]
    public async Task Behind_a_transaction_that_does_not_end_requests_give_up_and_are_left_out_of_the_log()
    {
        var log = new GatedLog();
        await using var commits = new GroupCommit(log, 10, NullLogger.Instance, TimeSpan.FromMilliseconds(200));
        var writing = commits.AppendAsync([Row(0)]);
        await log.Entered.WaitAsync(TestContext.Current.CancellationToken);
        var behind = commits.AppendAsync([Row(1)]);
        await Should.ThrowAsync<OverloadedException>(() => writing);
        await Should.ThrowAsync<OverloadedException>(() => behind);
        // Whoever comes now does not wait at all.
        var late = commits.AppendAsync([Row(2)]);
        late.IsFaulted.ShouldBeTrue();
        (await commits.TakesRowsAsync()).ShouldBeFalse();
        log.Open();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await commits.TakesRowsAsync())
            await Task.Delay(10, patience.Token);
        (await commits.AppendAsync([Row(3)])).ShouldBeTrue();
        // What was being written has been written, which its client hears when it asks again with its id; what waited has not.
        log.Logged.ShouldBe([0, 3]);
    }

    private static OnlineRow Row(int ordinal) =>
        new(1, ordinal, null, 0, null, "[1]", DateTime.UnixEpoch, DateTime.UnixEpoch, 0, new(1, null, null, "{}", "{}", 0), "{}", "[]");

    private sealed class GatedLog : IOnlineLog
    {
        private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SemaphoreSlim Entered { get; } = new(0);

        public List<int> Transactions { get; } = [];

        public List<int> Logged { get; } = [];

        public int Failures { get; set; }

        public void Open() => _gate.TrySetResult();

        public Task<long> OpenAsync(OnlineBatch batch, CancellationToken ct) => Task.FromResult(1L);

        public async Task<IReadOnlyList<bool>> AppendAsync(IReadOnlyList<IReadOnlyList<OnlineRow>> requests, CancellationToken ct)
        {
            Entered.Release();
            await _gate.Task;
            if (Failures-- > 0)
                throw new IOException("disk gone");
            Transactions.Add(requests.Count);
            Logged.AddRange(requests.SelectMany(r => r).Select(r => r.Ordinal));
            return [.. requests.Select(_ => true)];
        }

        public Task<IReadOnlyList<AnsweredRow>> AnsweredAsync(string requestId, CancellationToken ct) => Task.FromResult<IReadOnlyList<AnsweredRow>>([]);
    }
}
