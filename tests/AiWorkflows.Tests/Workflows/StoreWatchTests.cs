using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Workflows;

public class StoreWatchTests
{
    [Fact]
    public void Leases_may_be_taken_away_as_long_as_the_store_answers()
    {
        var watch = new StoreWatch(TimeSpan.FromHours(1));
        watch.Answered();
        watch.MayExpire.ShouldBeTrue();
    }

    [Fact]
    public async Task After_the_store_was_away_no_lease_is_taken_away_for_the_time_of_a_lease()
    {
        var watch = new StoreWatch(TimeSpan.FromMilliseconds(200));
        watch.Failed();
        watch.MayExpire.ShouldBeFalse();
        watch.Answered();
        watch.MayExpire.ShouldBeFalse();
        await Task.Delay(250, TestContext.Current.CancellationToken);
        watch.MayExpire.ShouldBeTrue();
    }

    [Fact]
    public void An_error_tells_by_what_caused_it_that_the_store_is_away()
    {
        var away = new InvalidRequestException("locked") { StoreIsAway = true };
        StoreWatch.IsAway(new InvalidOperationException("outer", away)).ShouldBeTrue();
        StoreWatch.IsAway(new InvalidRequestException("wrong name")).ShouldBeFalse();
    }
}
