using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Cli;

/// <summary>A run with everything that came of it.</summary>
internal sealed record RunReport(
    RunRow Run, IReadOnlyList<StepRow> Steps, IReadOnlyList<CommitRow> Commits, IReadOnlyList<QuarantineCount> Quarantine,
    IReadOnlyList<VersionDetail> Models, IReadOnlyList<BatchRow> Batches)
{
    /// <exception cref="InvalidRequestException">There is no such run.</exception>
    public static async Task<RunReport> LoadAsync(CliContext context, long runId, CancellationToken ct)
    {
        var runs = context.Query<RunQueries>();
        return new(
            await RequireAsync(context, runId, ct), await runs.StepsAsync(runId, ct), await runs.CommitsAsync(runId, ct), await runs.QuarantineAsync(runId, ct),
            await context.Query<ModelQueries>().OfRunAsync(runId, ct), await runs.BatchesAsync(runId, ct));
    }

    /// <exception cref="InvalidRequestException">There is no such run.</exception>
    public static async Task<RunRow> RequireAsync(CliContext context, long runId, CancellationToken ct)
    {
        var runs = context.Query<RunQueries>();
        if (await runs.FindAsync(runId, ct) is { } run)
            return run;
        var recent = await runs.RecentIdsAsync(ct);
        throw new InvalidRequestException($"There is no run {runId}: {(recent.Count == 0 ? "none was requested yet." : $"the newest are {string.Join(", ", recent.Take(5))}; `runs list` shows them.")}");
    }

    /// <summary>Steps that failed, in order, with the error of each.</summary>
    public IEnumerable<StepRow> FailedSteps() => PartitionedStep.Fold(Steps).Where(s => s.State == States.Failed);

    public void Write(Output output)
    {
        output.Fields(
            ("run", $"{Run.RunId}"),
            ("workflow", Run.Workflow),
            ("window", Format.Window(Run.WindowFrom, Run.WindowTo)),
            ("state", Run.Reason is { } reason ? $"{Run.State}, {reason}" : Run.State),
            ("mode", Run.Mode == RunModes.Stages ? null : Run.Mode.Replace('_', ' ')),
            ("hindsight", Run.Hindsight ? "yes: predictions from before the model's cut-off are flagged" : null),
            ("requested", $"{Format.Moment(Run.RequestedAt)} by {Run.RequestedBy} ({Run.TriggeredBy})"),
            ("ran", Run.StartedAt is { } ? $"{Format.Moment(Run.StartedAt)} to {Format.Moment(Run.FinishedAt)}, {Format.Seconds(Run.Seconds)}" : null),
            ("code", Run.CodeVersion),
            ("error", Run.Error is { } error ? Format.OneLine(error, 400) : null));
        if (Steps.Count > 0)
        {
            output.Heading("Stages");
            output.Table(PartitionedStep.Fold(Steps),
                new("step", s => s.Step),
                new("state", s => s.State is States.Running or States.Failed && s.Partitions > 1 ? $"{s.State}, {s.ProgressText}" : s.State), new("attempts", s => s.Attempt.ToString(System.Globalization.CultureInfo.InvariantCulture), Right: true),
                new("rows read", s => Format.Count(s.RowsRead), Right: true), new("rows written", s => Format.Count(s.RowsWritten), Right: true),
                new("time", s => Format.Seconds(s.Seconds), Right: true),
                new("", s => Format.OneLine(s.Error ?? s.Reason ?? (s.State == States.Running ? s.ProgressText : ""), 100)));
        }
        if (Commits.Count > 0)
        {
            output.Heading("Commits");
            CommitTable(output, Commits);
        }
        if (Quarantine.Count > 0)
        {
            output.Heading("Quarantine");
            output.Table(Quarantine, new("feature group", q => q.FeatureGroup), new("rule", q => q.Rule), new("rows", q => Format.Count(q.Rows), Right: true), new("example", q => Format.OneLine(q.Example, 100)));
        }
        if (Models.Count > 0)
        {
            output.Heading("Models");
            output.Table(Models, new("model", m => m.Model), new("version", m => $"{m.Version}", Right: true), new("aliases", m => m.Aliases),
                new(Models[0].PrimaryMetric, m => Format.Metric(m.PrimaryValue), Right: true), new("baseline", m => Format.Metric(m.BaselineValue), Right: true), new("promotion", m => m.Promotion));
        }
        if (Batches.Count > 0)
        {
            output.Heading("Predictions");
            output.Table(Batches, new("batch", b => $"{b.BatchId}", Right: true), new("model", b => $"{b.Model} v{b.Version}"), new("window", b => Format.Window(b.WindowFrom, b.WindowTo)),
                new("rows", b => Format.Count(b.Rows), Right: true), new("predicted positive", b => Format.Share(b.PositiveShare), Right: true), new("", b => b.Hindsight ? "hindsight" : ""));
        }
    }

    public static void CommitTable(Output output, IReadOnlyList<CommitRow> commits) => output.Table(commits,
        new("commit", c => $"{c.CommitId}", Right: true), new("feature group", c => $"{c.FeatureGroup} v{c.Version}"), new("window", c => Format.Window(c.WindowFrom, c.WindowTo)),
        new("rows", c => Format.Count(c.Rows), Right: true), new("new", c => Format.Count(c.NewRows), Right: true), new("deleted", c => Format.Count(c.Tombstones), Right: true),
        new("quarantined", c => Format.Count(c.RowsQuarantined), Right: true), new("published", c => Format.Moment(c.PublishedAt)), new("run", c => $"{c.RunId}", Right: true));
}
