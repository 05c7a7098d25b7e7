using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Benchmarks.Orchestration;

/// <summary>What the empty stages write: nothing.</summary>
[FeatureGroup("bench_nothing")]
public sealed record Nothing([EntityKey] string Key, [EventTime] DateTime At);

/// <summary>A stage that computes nothing and publishes an empty commit: what is left is the cost of orchestration.</summary>
internal sealed class EmptyStage : FeaturePipelineDefinition
{
    public override async Task<CommitSeal> ExecuteAsync(StageContext context, IFeatureStore store, CancellationToken ct)
    {
        await using var writer = await context.OpenCommitAsync(store, Writes, ct);
        return new(writer.CommitId, Writes, context.Window, writer.BaseSeq, 0, 0, 0, 0, 0, null, null, "{}", "[]", [], []);
    }

    public override Task<ReplayResult> ReplayAsync(
        IReadOnlyList<QuarantinedRecord> records, bool accept, IServiceProvider services, IFeatureStore store, Func<Window, Task<CommitRequest>> begin, CancellationToken ct) =>
        throw new NotSupportedException();
}

/// <summary>A chain of empty stages, and one empty stage of many partitions.</summary>
internal static class EmptyWorkflows
{
    public const string Chain = "chain";
    public const string FanOut = "fan-out";
    public const int Stages = 100;
    public const int Partitions = 1000;

    private const int Days = 42;

    private static readonly DateTime Start = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>The window of a run, and those of runs before it; each is long enough for one partition an hour.</summary>
    public static Window Before(int runs) => new(Start.AddDays(Days * (39 - runs)), Start.AddDays(Days * (40 - runs)));

    public static Catalog Catalog(int stages, int partitions)
    {
        var group = GroupSchema.Of(typeof(Nothing));
        StageDefinition[] chain = [.. Enumerable.Range(0, stages).Select(i => Stage($"s{i}", i == 0 ? [] : [$"s{i - 1}"], 1))];
        return new()
        {
            Groups = [new(group, null)], FeaturePipelines = [.. chain.Select(s => s.Feature!)], Views = [], Trainings = [], Inferences = [],
            Workflows = [Workflow(Chain, chain), Workflow(FanOut, [Stage("parts", [], partitions)])],
        };

        StageDefinition Stage(string name, string[] after, int parts) => new(
            name, StepKinds.Feature, new EmptyStage { Name = name, Type = typeof(EmptyStage), Writes = group, Reads = [], SliceUnit = TimeSpan.FromHours(1) }, null, null, after, 1, null, parts);
    }

    private static WorkflowDefinition Workflow(string name, IReadOnlyList<StageDefinition> stages) =>
        new(name, null, TimeSpan.FromDays(1), Start, null, null, CatchUpPolicy.OneRun, OverlapPolicy.Queue, 1, stages);
}
