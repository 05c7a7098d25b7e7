using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance.Simulation;

/// <summary>A job as Hangfire would hold it: delivered at least once, forgotten with its engine.</summary>
internal sealed class SimulatedJob
{
    public required long StageRunId { get; init; }

    public required string Engine { get; init; }

    public string State { get; set; } = "Enqueued";

    public SimulatedHost? Host { get; set; }
}

/// <summary>A process: its actors are interleaved with those of other processes at every transaction.</summary>
internal sealed class SimulatedHost(string name)
{
    public string Name => name;

    public bool Dead { get; set; }

    /// <summary>Steps for which the process stands still, as under SIGSTOP; afterwards it goes on as if nothing had happened.</summary>
    public int Paused { get; set; }

    public List<(string Kind, IAsyncEnumerator<int> Steps)> Actors { get; } = [];

    public HashSet<AttemptRef> Running { get; } = [];
}

/// <summary>
/// Random hosts, kills, pauses, duplicate and lost jobs, jumping clocks, cancellations and resumptions over a real store.
/// Every transaction is one step; the invariants are checked after each. A seed reproduces a run.
/// </summary>
internal sealed partial class SimulatedWorld(TestStore store, int seed)
{
    private const int ChaoticSteps = 700;
    private const int LongestRecovery = 16_000;

    private readonly Random _random = new(seed);
    private readonly List<SimulatedHost> _hosts = [];
    private readonly Dictionary<string, SimulatedJob> _jobs = [];
    private readonly Dictionary<string, RunPlan> _plans = [];
    private readonly Dictionary<long, int> _resumed = [];
    private readonly HashSet<string> _poisoned = [];
    private readonly HashSet<long> _cancelled = [];
    private readonly Dictionary<string, int> _windows = [];
    private bool _chaos = true;
    private int _hostCount;
    private int _jobCount;
    private long _backfill;
    private int _retried;

    public Dictionary<string, int> Events { get; } = [];

    /// <summary>With Hangfire.InMemory there is one host, and its jobs die with it.</summary>
    private bool JobsDieWithHost => seed % 2 == 0;

    public async Task RunAsync()
    {
        await Readings.RegisterAsync(store.Features);
        await store.Ledger.RegisterWorkflowsAsync([("w1", 1, OverlapPolicy.Queue), ("w2", 2, OverlapPolicy.Queue), ("w3", 1, OverlapPolicy.Queue)], default);
        foreach (var workflow in new[] { "w1", "w2", "w3" })
            _plans[workflow] = MakePlan(workflow);
        for (var i = 0; i < 3; i++)
            await RequestAsync();
        await RequestBackfillAsync();
        for (var i = 0; i < ChaoticSteps; i++)
            await StepAsync();

        // What kills its host goes on doing so: that has to end too.
        _chaos = false;
        foreach (var host in _hosts)
            host.Paused = 0;
        for (var i = 0; i < LongestRecovery && !(i % 50 == 0 && await IsAtRestAsync()); i++)
            await StepAsync();
        await CheckEndAsync();
    }

    private void Count(string what) => Events[what] = Events.GetValueOrDefault(what) + 1;

    private T Pick<T>(IReadOnlyList<T> list) => list[_random.Next(list.Count)];

    private RunPlan MakePlan(string workflow)
    {
        var names = Enumerable.Range(0, _random.Next(2, 5)).Select(i => $"{workflow}-s{i}").ToArray();
        if (_random.Next(10) == 0)
            _poisoned.Add(Pick(names));
        var (steps, edges, last) = (new List<PlannedStep>(), new List<(string, string)>(), new Dictionary<string, string>());
        foreach (var (name, i) in names.Select((n, i) => (n, i)))
        {
            var partitions = Pick([1, 1, 3]);
            steps.Add(Plans.Step(name, steps.Count) with { Slices = partitions == 1 ? null : Enumerable.Repeat(Readings.Day, partitions).ToArray() });
            edges.AddRange(names.Take(i).Where(_ => _random.Next(10) < 6).Select(after => (name, last[after])));
            last[name] = name;
            if (partitions == 1)
                continue;
            last[name] = RunPlanner.PublishOf(name);
            steps.Add(Plans.Step(name, steps.Count) with { Step = last[name], Kind = StepKinds.Control });
            edges.Add((last[name], name));
        }
        return new(steps, edges);
    }

    /// <summary>The plan of a workflow for a window: its slices lie in it.</summary>
    private RunPlan PlanFor(RunRecord run) => _plans[run.Workflow] is var plan
        ? plan with { Steps = [.. plan.Steps.Select(s => s with { Slices = s.Slices is null ? null : Slices.Cut(run.Window, s.Slices.Count, TimeSpan.FromHours(1), Readings.Start) })] } : null!;

    private async Task StepAsync()
    {
        if (_hosts.Count < (JobsDieWithHost ? 1 : 3))
            _hosts.Add(new SimulatedHost($"h{++_hostCount}"));
        if (_chaos && await DisturbAsync(_random.NextDouble()))
            return;
        var host = Pick(_hosts);
        if (host.Paused > 0)
        {
            host.Paused--;
            return;
        }
        var dice = _random.NextDouble();
        if (dice < 0.1 && host.Running.Count > 0)
        {
            var attempt = Pick([.. host.Running]);
            await CheckedAsync(() => store.Ledger.BeatAsync(attempt, TimeSpan.FromMinutes(1), new(), default));
            return;
        }
        if (dice < 0.25 && !host.Actors.Exists(a => a.Kind == "sweep"))
            host.Actors.Add(("sweep", SweepAsync(host).GetAsyncEnumerator()));
        if (dice < 0.5 && host.Actors.Count(a => a.Kind == "job") < 3)
        {
            foreach (var early in _jobs.Values.Where(j => j.State == "Scheduled" && (!_chaos || _random.Next(3) == 0)))
                early.State = "Enqueued";
            var waiting = _jobs.Where(j => j.Value.State == "Enqueued").Select(j => j.Key).ToArray();
            if (waiting.Length > 0)
                host.Actors.Add(("job", WorkAsync(host, Pick(waiting)).GetAsyncEnumerator()));
        }
        if (host.Actors.Count == 0)
            return;
        var actor = Pick(host.Actors);
        if (!await actor.Steps.MoveNextAsync() && !host.Dead)
            host.Actors.Remove(actor);
    }

    private async Task<bool> DisturbAsync(double dice)
    {
        switch (dice)
        {
            case < 0.008:
                Kill(Pick(_hosts));
                return true;
            case < 0.018:
                Pick(_hosts).Paused = _random.Next(20, 150);
                Count("pause");
                return true;
            case < 0.035 when _windows.Values.Sum() < 7:
                await RequestAsync();
                return true;
            case < 0.05:
                await InterveneAsync();
                return true;
            case < 0.053:
                await LetWeeksPassAsync();
                return true;
            case < 0.07:
                await JumpAsync(TimeSpan.FromSeconds(Pick([-500, -30, 61, 100, 400])));
                return true;
            case < 0.095 when _jobs.Count > 0:
                // A duplicate delivery or a click on "requeue", whatever state the job was in; or a click on "delete".
                Pick([.. _jobs.Values]).State = _random.Next(6) == 0 ? "Deleted" : "Enqueued";
                Count("redelivery");
                return true;
            default:
                return false;
        }
    }

    private void Kill(SimulatedHost host)
    {
        (host.Dead, _) = (true, _hosts.Remove(host));
        Count("kill");
        if (JobsDieWithHost)
            _jobs.Clear();
        foreach (var job in _jobs.Values.Where(j => j.Host == host && j.State == "Processing"))
            job.State = "Enqueued";
    }

    private async Task RequestAsync()
    {
        var workflow = Pick(["w1", "w2"]);
        var index = _windows[workflow] = _windows.GetValueOrDefault(workflow) + 1;
        var window = Readings.Day.Shift(TimeSpan.FromDays(index - 1));
        for (var twice = _random.Next(2); twice >= 0; twice--)
            await CheckedAsync(() => store.Ledger.RequestAsync(new(workflow, window, "clock", "schedule", DedupKey: $"t{index}"), default));
    }

    /// <summary>Twice, as two hosts would: both get the same one.</summary>
    private async Task RequestBackfillAsync()
    {
        var windows = Enumerable.Range(0, 4).Select(i => Readings.Day.Shift(TimeSpan.FromDays(i))).ToArray();
        var request = new BackfillRequest(new("w3", windows[0].From, windows[^1].To, TimeSpan.FromDays(1), 2, false, [], "ada", false), windows, []);
        var (id, _) = await CheckedAsync(() => store.Ledger.RequestBackfillAsync(request, default));
        (await CheckedAsync(() => store.Ledger.RequestBackfillAsync(request, default))).ShouldBe((id, false));
        _backfill = id;
    }

    private async Task InterveneInBackfillAsync()
    {
        if (_random.Next(4) == 0)
        {
            if ((await CheckedAsync(() => store.Ledger.CancelBackfillAsync(_backfill, "ada", null, default))).Windows > 0)
                Count("cancelled backfill");
            return;
        }
        // A retry of the backfill resumes its cancelled windows too.
        _cancelled.Clear();
        var resumed = await store.Database.ReadAsync<long>("SELECT run_id FROM {workflows.runs} WHERE backfill_id = @Id AND state IN ('failed', 'cancelled')", new { Id = _backfill }, default);
        if (_retried >= 5 || await CheckedAsync(() => store.Ledger.RetryBackfillAsync(_backfill, "ada", default)) == 0)
            return;
        _retried++;
        foreach (var run in resumed)
            _resumed[run] = _resumed.GetValueOrDefault(run) + 1;
        Count("retried backfill");
    }

    private async Task InterveneAsync()
    {
        if (_random.Next(3) == 0)
        {
            await InterveneInBackfillAsync();
            return;
        }
        var run = await store.CountAsync("SELECT COUNT(*) FROM {workflows.runs}") is var runs and > 0 ? _random.NextInt64(runs) + 1 : 0;
        if (_random.Next(2) == 0)
        {
            if (await CheckedAsync(() => store.Ledger.CancelAsync(run, "ada", "enough", default)))
            {
                _cancelled.Add(run);
                Count("cancel");
            }
        }
        else if (_resumed.GetValueOrDefault(run) < 3)
        {
            var wasCancelled = _cancelled.Remove(run);
            if (!await CheckedAsync(() => store.Ledger.ResumeAsync(run, "ada", default)))
            {
                wasCancelled.ShouldBeFalse($"seed {seed}: run {run} was cancelled and cannot be resumed");
                return;
            }
            _resumed[run] = _resumed.GetValueOrDefault(run) + 1;
            Count("resume");
        }
    }

    /// <summary>The database's clock jumps: everything that is compared with it moves the other way.</summary>
    private async Task JumpAsync(TimeSpan by)
    {
        Count("jump");
        await store.Database.WriteAsync(tx => tx.ExecuteAsync("""
            UPDATE {workflows.stage_runs} SET lease_until = {after:lease_until, -@By}, not_before = {after:not_before, -@By}, dispatched_at = {after:dispatched_at, -@By}, deadline_at = {after:deadline_at, -@By}
            """, new { By = Timestamps.ToMicros(by) }), default);
    }

    /// <summary>Nobody has resumed what had ended for so long that what is sealed of it is given up.</summary>
    private async Task LetWeeksPassAsync()
    {
        await store.Database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {workflows.runs} SET finished_at = {after:finished_at, -@By}", new { By = Timestamps.ToMicros(TimeSpan.FromDays(20)) }), default);
        Count("weeks");
    }

    private async Task<T> CheckedAsync<T>(Func<Task<T>> transaction)
    {
        var result = await transaction();
        await CheckAsync();
        return result;
    }

    private Task<bool> CheckedAsync(Func<Task> transaction) => CheckedAsync(async () =>
    {
        await transaction();
        return true;
    });
}
