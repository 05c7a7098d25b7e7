using AiWorkflows.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance.Simulation;

/// <summary>The invariants of EXECUTION, checked from outside: by SQL and by what the simulation itself remembers.</summary>
internal sealed partial class SimulatedWorld
{
    private readonly Dictionary<long, string> _published = [];
    private readonly HashSet<(long StageRunId, int Attempt)> _claimed = [];
    private readonly HashSet<(long StageRunId, int Attempt)> _won = [];
    private readonly Dictionary<(long RunId, string Step, int Resumed), long?> _asOf = [];
    private long _seq;

    private async Task CheckAsync()
    {
        var violation = await store.Database.ReadFirstAsync<string>(LedgerInvariants.Broken(Cap), null, default);
        if (violation is not null)
            throw new InvalidOperationException($"seed {seed}: {violation}");
        if (_cancelled.Count > 0)
            (await store.CountAsync("SELECT COUNT(*) FROM {workflows.runs} WHERE run_id IN @Runs AND state <> 'cancelled'", new { Runs = _cancelled.ToArray() }))
                .ShouldBe(0, $"seed {seed}: a run that was cancelled goes on although nobody has resumed it");
        var seq = await store.Features.CurrentSeqAsync(default);
        if (seq == _seq)
            return;
        _seq.ShouldBeLessThan(seq, $"seed {seed}: the clock went back");
        _seq = seq;
        await CheckPublishedAsync();
        await CheckWatermarksAsync();
    }

    /// <summary>I5: what a sequence shows never changes, and what is visible is whole.</summary>
    private async Task CheckPublishedAsync()
    {
        var rows = Readings.Read(store.Features.Scan(Readings.Group, Readings.Group.Columns, new(Readings.Start, Readings.Start.AddDays(30)))).ToLookup(r => r.CommitId);
        foreach (var sequence in (await store.Database.ReadAsync<PublishedRow>("""
            SELECT commit_id, published_seq, rows FROM {feature_store.commits} WHERE state = 'published' ORDER BY published_seq, commit_id
            """, null, default)).GroupBy(c => c.PublishedSeq))
        {
            foreach (var commit in sequence)
                rows[commit.CommitId].Count().ShouldBe((int)commit.Rows, $"seed {seed}: commit {commit.CommitId} is not whole");
            var content = string.Join(" ", sequence.SelectMany(c => rows[c.CommitId]).Select(r => $"{r.CommitId} {r.Sensor}#{r.Channel}={r.Value}"));
            if (!_published.TryAdd(sequence.Key, content))
                _published[sequence.Key].ShouldBe(content, $"seed {seed}: I5 a read as of {sequence.Key} changed");
        }
    }

    /// <summary>I11: the watermark is where contiguous coverage ends, counted here window by window.</summary>
    private async Task CheckWatermarksAsync()
    {
        foreach (var mark in await store.Database.ReadAsync<MarkRow>("SELECT pipeline, event_time FROM {workflows.watermarks} WHERE input = ''", null, default))
        {
            var covered = (await store.Database.ReadAsync<Utc>("SELECT DISTINCT window_from FROM {workflows.coverage} WHERE pipeline = @Pipeline", new { mark.Pipeline }, default)).ToHashSet();
            var day = Readings.Start;
            while (covered.Contains(day))
                day = day.AddDays(1);
            mark.EventTime.Value.ShouldBe(day, $"seed {seed}: I11 watermark of {mark.Pipeline}");
        }
    }

    /// <summary>I3, I4 and I6, of which only the claimer can tell.</summary>
    private async Task CheckClaimAsync(StageRunRecord lease)
    {
        _claimed.Add((lease.StageRunId, lease.Attempt)).ShouldBeTrue($"seed {seed}: I3 attempt {lease.Attempt} of step {lease.Step} was claimed twice");
        (await store.CountAsync("""
            SELECT COUNT(*) FROM {workflows.run_edges} e JOIN {workflows.stage_runs} p ON p.run_id = e.run_id AND p.step = e.after_step
            WHERE e.run_id = @RunId AND e.step = @Step AND p.state NOT IN ('succeeded', 'skipped')
            """, new { lease.RunId, lease.Step })).ShouldBe(0, $"seed {seed}: I4 step {lease.Step} started early");
        (await store.CountAsync("""
            SELECT COUNT(*) FROM {workflows.runs} r JOIN {workflows.runs} o ON o.backfill_id = r.backfill_id AND o.window_from < r.window_from AND o.state = 'running'
            JOIN {workflows.stage_runs} p ON p.run_id = o.run_id AND p.state NOT IN ('succeeded', 'skipped', 'failed', 'cancelled')
            JOIN {workflows.run_edges} e ON e.run_id = r.run_id AND e.step = @Step AND e.after_step = p.step
            WHERE r.run_id = @RunId
            """, new { lease.RunId, lease.Step })).ShouldBe(0, $"seed {seed}: I4 step {lease.Step} started before its predecessors in earlier windows of the backfill");
        lease.AsOfSeq.ShouldNotBeNull();
        (await store.CountAsync("""
            SELECT COUNT(*) FROM {workflows.run_edges} e JOIN {workflows.stage_runs} p ON p.run_id = e.run_id AND p.step = e.after_step
                JOIN {feature_store.commits} c ON c.run_id = p.run_id AND c.stage = p.stage AND c.state = 'published'
            WHERE e.run_id = @RunId AND e.step = @Step AND c.published_seq > @AsOfSeq
            """, new { lease.RunId, lease.Step, lease.AsOfSeq })).ShouldBe(0, $"seed {seed}: I4 step {lease.Step} does not see what its predecessors have published");
        var key = (lease.RunId, lease.Step, _resumed.GetValueOrDefault(lease.RunId));
        if (!_asOf.TryAdd(key, lease.AsOfSeq))
            _asOf[key].ShouldBe(lease.AsOfSeq, $"seed {seed}: I6 attempts of step {lease.Step} read as of different sequences");
    }

    private async Task<bool> IsAtRestAsync() => await store.CountAsync("""
        SELECT (SELECT COUNT(*) FROM {workflows.runs} WHERE state IN ('requested', 'running')) + (SELECT COUNT(*) FROM {feature_store.commits} WHERE state IN ('writing', 'discarded'))
        """) == 0;

    /// <summary>I10 and I12, and that every step that succeeded is visible exactly once or changed nothing.</summary>
    private async Task CheckEndAsync()
    {
        (await IsAtRestAsync()).ShouldBeTrue($"seed {seed}: I12 stuck with runs {string.Join(", ", (await store.Ledger.OpenRunsAsync(default)).Select(r => $"{r.RunId} {r.State}"))}");
        // What a slice had won is not its result any more where it had to be taken again, or was given up after weeks.
        var undone = (await store.Database.ReadAsync<UndoneRow>("SELECT stage_run_id, attempt FROM {workflows.attempts} WHERE outcome IN ('conflict', 'discarded')", null, default))
            .Select(u => (u.StageRunId, u.Attempt)).ToHashSet();
        foreach (var step in await store.Database.ReadAsync<StepRow>("""
            SELECT s.stage_run_id, s.kind, s.attempt, s.state, (SELECT COUNT(*) FROM {feature_store.commits} c WHERE c.stage_run_id = s.stage_run_id AND c.state = 'published') AS visible,
                (SELECT COUNT(*) FROM {feature_store.commits} c WHERE c.stage_run_id = s.stage_run_id AND c.attempt = s.attempt AND c.state = 'collected') AS collected,
                (SELECT COUNT(*) FROM {feature_store.commits} c WHERE c.stage_run_id = s.stage_run_id AND c.state = 'sealed') AS sealed
            FROM {workflows.stage_runs} s
            """, null, default))
        {
            var won = step.State == States.Succeeded;
            _won.Count(w => w.StageRunId == step.StageRunId && !undone.Contains(w)).ShouldBe(won ? 1 : 0, $"seed {seed}: step {step.StageRunId} is {step.State}");
            if (step.Kind == StepKinds.Control)
                (step.Visible + step.Sealed).ShouldBe(0, $"seed {seed}: publish step {step.StageRunId} has a commit of its own");
            else if (won)
                (step.Visible + step.Sealed + Math.Min(step.Collected, 1)).ShouldBeInRange(1, 2, $"seed {seed}: step {step.StageRunId} succeeded and left no commit");
            else
                step.Visible.ShouldBe(0, $"seed {seed}: step {step.StageRunId} is {step.State} and visible");
        }
        var known = (await store.Database.ReadAsync<long>("SELECT commit_id FROM {feature_store.commits} WHERE state IN ('published', 'sealed')", null, default)).ToHashSet();
        Readings.Read(store.Features.Scan(Readings.Group, Readings.Group.Columns, new(Readings.Start, Readings.Start.AddDays(30))))
            .ShouldAllBe(r => known.Contains(r.CommitId), $"seed {seed}: I10 rows of a collected commit remain");
    }

    private sealed class PublishedRow
    {
        public long CommitId { get; set; }

        public long PublishedSeq { get; set; }

        public long Rows { get; set; }
    }

    private sealed class UndoneRow
    {
        public long StageRunId { get; set; }

        public int Attempt { get; set; }
    }

    private sealed class MarkRow
    {
        public string Pipeline { get; set; } = "";

        public Utc EventTime { get; set; }
    }

    private sealed class StepRow
    {
        public long StageRunId { get; set; }

        public string Kind { get; set; } = "";

        public int Attempt { get; set; }

        public string State { get; set; } = "";

        public long Sealed { get; set; }

        public long Visible { get; set; }

        public long Collected { get; set; }
    }
}
