using AiWorkflows.Hosting.Dashboard;
using Microsoft.Extensions.Time.Testing;

namespace AiWorkflows.Tests.Dashboard;

public sealed class PageCacheTests
{
    private readonly FakeTimeProvider _time = new();
    private int _reads;

    [Fact]
    public async Task Fifty_viewers_within_a_second_cost_one_read()
    {
        var cache = new PageCache(_time);
        var answer = new TaskCompletionSource<int>();
        var viewers = Enumerable.Range(0, 50).Select(_ => cache.GetAsync("run 1", () => Count(answer.Task))).ToArray();
        answer.SetResult(42);
        (await Task.WhenAll(viewers)).ShouldAllBe(value => value == 42);
        _reads.ShouldBe(1);
    }

    [Fact]
    public async Task After_a_second_it_reads_again()
    {
        var cache = new PageCache(_time);
        await cache.GetAsync("run 1", () => Count(Task.FromResult(1)));
        _time.Advance(TimeSpan.FromMilliseconds(999));
        await cache.GetAsync("run 1", () => Count(Task.FromResult(2)));
        _reads.ShouldBe(1);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        (await cache.GetAsync("run 1", () => Count(Task.FromResult(3)))).ShouldBe(3);
    }

    [Fact]
    public async Task A_failure_is_not_remembered()
    {
        var cache = new PageCache(_time);
        await Should.ThrowAsync<IOException>(() => cache.GetAsync("run 1", () => Count(Task.FromException<int>(new IOException()))));
        (await cache.GetAsync("run 1", () => Count(Task.FromResult(7)))).ShouldBe(7);
    }

    private Task<int> Count(Task<int> result)
    {
        Interlocked.Increment(ref _reads);
        return result;
    }
}
