using System.Runtime.CompilerServices;
using AiWorkflows.Storage;
using AiWorkflows.Tests.Storage;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

/// <summary>What a stage and a partition cost, as the difference between runs of different size: counted in the database, not timed.</summary>
public class TransactionCountTests
{
    [Fact]
    public async Task A_stage_takes_at_most_five_transactions_of_which_one_is_durable()
    {
        var (few, many) = (await CountAsync(w => w.Stage<TickPipeline>()), await CountAsync(w => w.Stage<TickPipeline>().Stage<DoublePipeline>().Stage<OutcomePipeline>()));
        var stages = 2.0;
        ((many.Durable - few.Durable) / stages).ShouldBe(1);
        // One of them writes the rows.
        ((many.All - few.All) / stages).ShouldBeLessThanOrEqualTo(5);
    }

    [Fact]
    public async Task A_partition_takes_at_most_three_transactions_besides_its_rows_of_which_none_is_durable()
    {
        var (few, many) = (await CountAsync(w => w.Stage<EmptyPipeline>(partitions: 40)), await CountAsync(w => w.Stage<EmptyPipeline>(partitions: 80)));
        ((many.Durable - few.Durable) / 40.0).ShouldBe(0);
        ((many.All - few.All) / 40.0).ShouldBeLessThanOrEqualTo(3);
    }

    /// <summary>Of a run of two days, without what happens by the clock.</summary>
    private static async Task<(double Durable, double All)> CountAsync(Action<WorkflowBuilder> stages)
    {
        await using var file = await SqliteFile.MigratedAsync(inMemory: true);
        var quiet = EngineHost.Quick(beat: TimeSpan.FromHours(1), sweep: TimeSpan.FromHours(1), logFlush: TimeSpan.FromHours(1));
        await using var host = await EngineHost.StartAsync(file, ai => ai.Workflow("w", w => stages(w.Window(TimeSpan.FromDays(1), Origin))), options: quiet);
        var activity = host.Get<StoreDatabase>().Activity;
        var (durable, all) = (activity.DurableTransactions, activity.Transactions);
        (await host.EndAsync((await host.RequestAsync(Days(1, 3))).RunId!.Value)).Run.State.ShouldBe("succeeded");
        await Task.WhenAll(host.Dispatcher.Jobs);
        return (activity.DurableTransactions - durable, activity.Transactions - all);
    }

    [FeatureGroup("nothings")]
    public sealed record Nothing([EntityKey] string Key, [EventTime] DateTime At);

    public sealed class EmptyPipeline : BatchFeaturePipeline<Nothing>
    {
        public override TimeSpan? SliceUnit => TimeSpan.FromMinutes(1);

        public override async IAsyncEnumerable<Nothing> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
        {
            await Task.Yield();
            yield break;
        }
    }
}
