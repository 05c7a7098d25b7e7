using AiWorkflows.Features;

namespace AiWorkflows.Workflows;

/// <summary>Publishes rows that were in quarantine.</summary>
internal sealed class QuarantineReplay(Catalog catalog, EngineStores stores, IQuarantine quarantine, RunEngineOptions options, IServiceProvider services)
{
    private const int RowsAtOnce = 10_000;

    /// <param name="Runs">One run for each commit.</param>
    public sealed record Outcome(long Taken, IReadOnlyList<long> Runs, IReadOnlyList<(long QuarantineId, string Reason)> Refused);

    /// <summary>Publishes all rows of a group that hold the rules of today; all that can be read, when <paramref name="accept"/>.</summary>
    /// <param name="only">Ids of the rows that are wanted; empty for all.</param>
    /// <exception cref="InvalidRequestException">Nothing in this program writes the group.</exception>
    public async Task<Outcome> RunAsync(string group, IReadOnlySet<long> only, bool accept, string by, CancellationToken ct)
    {
        var pipeline = catalog.FeaturePipelines.Where(p => p.Writes.Name == group).MaxBy(p => p.Writes.Version)
            ?? throw new InvalidRequestException($"No pipeline of this program writes {group}; its rows can only be replayed by one that does.");
        var workflow = catalog.Workflows.FirstOrDefault(w => w.Stages.Any(s => s.Name == pipeline.Name))?.Name ?? pipeline.Name;
        var (taken, runs, refused) = (0L, new List<long>(), new List<(long, string)>());
        for (var after = 0L; ;)
        {
            var page = await quarantine.ReadAsync(pipeline.Writes, after, RowsAtOnce, ct);
            if (page.Count == 0)
                return new(taken, runs, refused);
            after = page[^1].QuarantineId;
            QuarantinedRecord[] wanted = [.. page.Where(r => only.Count == 0 || only.Contains(r.QuarantineId))];
            await using var lease = new Prolonging(stores.Ledger, options);
            var result = await pipeline.ReplayAsync(wanted, accept, services, stores.Features, async window => new(
                pipeline.Writes, CommitKind.Patch, window, lease.Of(await quarantine.BeginAsync(new(workflow, pipeline.Name, window, by, options.Host, options.CodeVersion), ct)), options.CodeVersion), ct);
            refused.AddRange(result.Refused);
            if (result is not { Commit: { } commit, Attempt: { } attempt })
                continue;
            var published = await stores.Ledger.WinAsync(new(attempt) { Commit = commit, RowsWritten = commit.Rows }, ct);
            await stores.Ledger.AdvanceAsync(attempt.RunId, "", 0, ct);
            if (published.Outcome != PublishOutcome.Published)
                throw new AiWorkflowsException($"Run {attempt.RunId} was cancelled in this moment; nothing of it was published. Replay once more.");
            await quarantine.MarkAsync(result.Taken, commit.CommitId, ct);
            await stores.Ledger.AuditAsync(by, "replay", $"feature group {group}", $"{result.Taken.Count} rows from quarantine{(accept ? ", accepted as they are" : "")}, run {attempt.RunId}", ct);
            taken += result.Taken.Count;
            runs.Add(attempt.RunId);
        }
    }

    /// <summary>Prolongs the lease of a replay for as long as it goes on; nobody asks it to stop, for what it lost it cannot publish.</summary>
    private sealed class Prolonging(ILedger ledger, RunEngineOptions options) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _ended = new();
        private Task _beating = Task.CompletedTask;

        public AttemptRef Of(AttemptRef attempt)
        {
            _beating = Task.Run(() => BeatAsync(attempt), CancellationToken.None);
            return attempt;
        }

        public async ValueTask DisposeAsync()
        {
            await _ended.CancelAsync();
            await _beating;
            _ended.Dispose();
        }

        private async Task BeatAsync(AttemptRef attempt)
        {
            using var timer = new PeriodicTimer(options.Beat);
            try
            {
                while (await timer.WaitForNextTickAsync(_ended.Token) && await ledger.BeatAsync(attempt, options.Lease, new(), CancellationToken.None))
                {
                }
            }
            catch (Exception)
            {
                // Ended; or the database is away, and then the publication will say whether the lease was lost.
            }
        }
    }
}
