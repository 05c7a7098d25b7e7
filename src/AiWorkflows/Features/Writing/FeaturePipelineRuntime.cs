using Microsoft.Extensions.Logging;

namespace AiWorkflows.Features;

/// <summary>What all feature pipelines have in common when they run: one commit, of exactly the difference, with statistics.</summary>
internal abstract class FeaturePipelineRuntime<TRow> : FeaturePipelineDefinition where TRow : class
{
    public sealed override async Task<CommitSeal> ExecuteAsync(StageContext context, IFeatureStore store, CancellationToken ct)
    {
        var session = context.OpenReads(store);
        var pipeline = (FeaturePipeline<TRow>)PipelineActivator.Create(Type, context.Services, session, ct);
        try
        {
            await using var writer = await context.OpenCommitAsync(store, Writes, ct);
            var intake = new RowIntake<TRow>(pipeline, context.Window, writer);
            await using var difference = await DifferenceWriter<TRow>.OpenAsync(store, writer, context.Window, context.Progress, ct);
            context.Progress.Text = "computing";
            await ProduceAsync(pipeline, session, context, intake, difference, ct);
            intake.Expectations.ThrowIfFailed();
            await difference.CompleteAsync(ct);
            await intake.FlushQuarantineAsync(ct);
            Report(context, intake, difference);
            return new CommitSeal(
                writer.CommitId, Writes, context.Window, writer.BaseSeq, difference.Written, difference.Tombstones, difference.Added, intake.Computed, intake.Quarantined,
                difference.MinEventTime, difference.MaxEventTime, difference.Statistics.ToJson(), intake.Expectations.ResultsJson, session.Inputs, difference.Buckets);
        }
        finally
        {
            await PipelineActivator.DisposeAsync(pipeline);
        }
    }

    public sealed override async Task<ReplayResult> ReplayAsync(
        IReadOnlyList<QuarantinedRecord> records, bool accept, IServiceProvider services, IFeatureStore store, Func<Window, Task<CommitRequest>> begin, CancellationToken ct)
    {
        var session = new FeatureReadSession(store, await store.CurrentSeqAsync(ct));
        var pipeline = (FeaturePipeline<TRow>)PipelineActivator.Create(Type, services, session, ct);
        try
        {
            return await new RowReplay<TRow>(Writes, pipeline, store).RunAsync(records, accept, begin, ct);
        }
        finally
        {
            await PipelineActivator.DisposeAsync(pipeline);
        }
    }

    /// <summary>Computes the rows of the window and gives them, in canonical order, to <paramref name="difference"/>.</summary>
    protected abstract Task ProduceAsync(
        FeaturePipeline<TRow> pipeline, FeatureReadSession session, StageContext context, RowIntake<TRow> intake, DifferenceWriter<TRow> difference, CancellationToken ct);

    private void Report(StageContext context, RowIntake<TRow> intake, DifferenceWriter<TRow> difference)
    {
        context.Progress.Text = difference.Written + difference.Tombstones == 0
            ? $"{intake.Computed:N0} rows, nothing changed"
            : $"{intake.Computed:N0} rows, {difference.Written:N0} new or changed{(difference.Tombstones > 0 ? $", {difference.Tombstones:N0} removed" : "")}";
        context.Log.LogInformation("{Group}: {Outcome} in {Window}", Writes.ToString(), context.Progress.Text, context.Window);
        foreach (var rule in intake.Expectations.Results.Where(r => r.Violations > 0))
            context.Log.LogWarning("{Group}: {Violations} rows violate '{Rule}' ({Outcome}); first: {First}", Writes.ToString(), rule.Violations, rule.Rule, rule.Outcome, rule.First);
    }
}

/// <summary>A pipeline in plain C#: its rows come in any order.</summary>
internal sealed class BatchPipelineRuntime<TRow> : FeaturePipelineRuntime<TRow> where TRow : class
{
    protected override async Task ProduceAsync(
        FeaturePipeline<TRow> pipeline, FeatureReadSession session, StageContext context, RowIntake<TRow> intake, DifferenceWriter<TRow> difference, CancellationToken ct)
    {
        using var sorter = new RowSorter<TRow>();
        await foreach (var row in ((BatchFeaturePipeline<TRow>)pipeline).ComputeAsync(context.Window, ct))
        {
            if ((intake.Computed & 1023) == 0)
                ct.ThrowIfCancellationRequested();
            if (intake.Take(row) is { } taken && !intake.Expectations.HasFailed)
                sorter.Add(taken);
            if (intake.QuarantineIsFull)
                await intake.FlushQuarantineAsync(ct);
        }
        intake.Expectations.ThrowIfFailed();
        context.Progress.Text = "writing";
        foreach (var row in sorter.Sorted())
            if (difference.Accept(row))
                await difference.FlushAsync(ct);
    }
}
