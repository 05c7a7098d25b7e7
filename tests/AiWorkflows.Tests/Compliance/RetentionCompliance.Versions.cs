using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

public abstract partial class RetentionCompliance
{
    private const string View = "readings-view";

    private static readonly ViewReads Latest = new(View, 1, []);

    private static readonly ViewReads AsPublished = new("published-view", 1, [(Readings.Group.Name, Readings.Group.Version)]);

    private sealed record Pin(long Seq, Window Window, string View, bool IsDataset);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task After_any_history_of_commits_every_pinned_and_every_current_read_is_what_it_was_and_nothing_else_is_left(int seed)
    {
        await using var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        var random = new Random(seed);
        var seqs = await CommitAtRandomAsync(store, random, commits: 25);
        var pins = await PinAtRandomAsync(store, random, seqs, count: random.Next(0, 8));
        // The k-th publication was as many days ago; the policy lets go of what was replaced more than half the history ago.
        await store.Database.WriteAsync(async tx =>
        {
            foreach (var (seq, k) in seqs.Select((s, k) => (s, k)))
                await tx.ExecuteAsync("UPDATE {feature_store.commits} SET published_at = {ago:@Ago} WHERE published_seq = @seq", new { seq, Ago = Timestamps.ToMicros(TimeSpan.FromDays(seqs.Count - k)) });
        }, default);
        var policy = new RetentionPolicy(new Dictionary<RetentionClass, TimeSpan> { [RetentionClass.FeatureVersions] = TimeSpan.FromDays(seqs.Count / 2d) });
        ViewReads[] views = [Latest];

        var before = await ReadAllAsync(store, pins);
        var expected = await LeftByTheRuleAsync(store, pins, TimeSpan.FromDays(seqs.Count / 2d));
        var all = (await VersionsAsync(store)).Count;
        var planned = (await Job(store).PlanAsync(policy, views, default)).Single(l => l.Class == RetentionClass.FeatureVersions);
        (await VersionsAsync(store)).Count.ShouldBe(all);
        var applied = (await ApplyAsync(store, policy, views))[RetentionClass.FeatureVersions];

        applied.ShouldBe(planned);
        (await VersionsAsync(store)).ShouldBe(expected, ignoreOrder: true);
        (all - expected.Count).ShouldBe((int)applied.Rows);
        (await ReadAllAsync(store, pins)).ShouldBe(before);
        (await ApplyAsync(store, policy, views))[RetentionClass.FeatureVersions].Rows.ShouldBe(0);
        if (applied.Rows > 0)
            (await store.CountAsync("SELECT horizon_seq FROM {feature_store.compactions}")).ShouldBeInRange(1, seqs[^1]);
    }

    [Fact]
    public async Task Killed_again_and_again_it_ends_where_it_would_have_ended()
    {
        await using var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        var rows = Enumerable.Range(0, 3000).Select(i => Readings.Row($"s{i:0000}", i % 24, 1)).ToArray();
        await Readings.PublishAsync(store, Readings.Day, rows);
        await Readings.PublishAsync(store, Readings.Day, [.. rows.Select(r => r with { Value = 2 })]);
        await BackdateAsync(store, TimeSpan.FromDays(60));
        var kills = 0;
        for (var patience = 1; ; patience++)
        {
            // Ends after so many transactions, as if the process had been killed there.
            using var kill = new CancellationTokenSource();
            var job = new AiWorkflows.Storage.Retention.RetentionJob(new Killing(store.Database, patience, kill), store.Ledger);
            try
            {
                await job.ApplyAsync(Only(RetentionClass.FeatureVersions), [Latest], "ada", null, kill.Token);
                break;
            }
            catch (OperationCanceledException)
            {
                kills++;
            }
        }
        kills.ShouldBeGreaterThan(1);
        (await VersionsAsync(store)).ShouldAllBe(v => v.Value == 2);
        (await VersionsAsync(store)).Count.ShouldBe(3000);
    }

    [Fact]
    public async Task A_group_that_a_view_reads_as_published_keeps_all_its_versions()
    {
        await using var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 2));
        await BackdateAsync(store, TimeSpan.FromDays(60));
        (await ApplyAsync(store, Only(RetentionClass.FeatureVersions), [Latest, AsPublished]))[RetentionClass.FeatureVersions].Rows.ShouldBe(0);
        (await ApplyAsync(store, Only(RetentionClass.FeatureVersions), [Latest]))[RetentionClass.FeatureVersions].Rows.ShouldBe(1);
    }

    [Fact]
    public async Task A_stage_that_is_under_way_and_a_failed_one_that_may_be_resumed_hold_what_they_read()
    {
        await using var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        var reader = await store.AttemptAsync(Readings.Day, "reader");
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 2));
        await EndOthersAsync(store, reader.RunId);
        await BackdateAsync(store, TimeSpan.FromDays(60));
        var line = (await ApplyAsync(store, Only(RetentionClass.FeatureVersions), [Latest]))[RetentionClass.FeatureVersions];
        (line.Rows, line.Held).ShouldBe((0, 1));
        await store.Ledger.FailAsync(reader, "It broke.", TimeSpan.Zero, final: true, default);
        await store.Ledger.AdvanceAsync(reader.RunId, "engine", 10, default);
        (await ApplyAsync(store, Only(RetentionClass.FeatureVersions), [Latest]))[RetentionClass.FeatureVersions].Rows.ShouldBe(0);
        // Over for good, with its run.
        await store.StartRunAsync(Readings.Day, "later");
        await BackdateAsync(store, TimeSpan.FromDays(60));
        await ApplyAsync(store, Only(RetentionClass.Runs));
        (await ApplyAsync(store, Only(RetentionClass.FeatureVersions), [Latest]))[RetentionClass.FeatureVersions].Rows.ShouldBe(1);
    }

    [Fact]
    public async Task What_a_model_loses_because_the_policy_says_so_is_marked_with_the_reason()
    {
        await using var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        var first = await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        foreach (var model in new[] { "plain", "champion", "untouched" })
        {
            var attempt = await store.AttemptAsync(Readings.Day, "training");
            await store.Ledger.WinAsync(new(attempt)
            {
                Dataset = ModelRegistryCompliance.Dataset with { View = View, ViewVersion = 1, Commits = [], Inputs = [new(Readings.Group.Name, Readings.Group.Version, first, model == "untouched" ? Readings.Day.Shift(TimeSpan.FromDays(1)) : Readings.Day)] },
                Model = ModelRegistryCompliance.Model with { Model = model, Reproducible = true, Reason = null },
                Alias = model == "champion" ? new(model, "champion", 0, "rule", "first") : null,
            }, default);
        }
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 2));
        await BackdateAsync(store, TimeSpan.FromDays(60));
        await EndOthersAsync(store, 0);

        (await ApplyAsync(store, Only(RetentionClass.FeatureVersions), [Latest]))[RetentionClass.FeatureVersions].Rows.ShouldBe(0);
        var lapsed = Only(RetentionClass.FeatureVersions) with { ReproducibleFor = Month };
        (await ApplyAsync(store, lapsed, [Latest]))[RetentionClass.FeatureVersions].Rows.ShouldBe(0, "the champion holds the same version");
        (await ReproducibleAsync(store, "plain")).ShouldBe((true, null));
        await store.Database.WriteAsync(tx => tx.ExecuteAsync("DELETE FROM {model_registry.aliases}"), default);
        await BackdateAsync(store, TimeSpan.FromDays(60));
        (await ApplyAsync(store, lapsed, [Latest]))[RetentionClass.FeatureVersions].Rows.ShouldBe(1);
        foreach (var model in new[] { "plain", "champion" })
            (await ReproducibleAsync(store, model)).ShouldBe((false, "Retention has removed versions of readings that the dataset had read."));
        (await ReproducibleAsync(store, "untouched")).ShouldBe((true, null));
    }

    /// <summary>The rule in its plainest form: a version goes where the next one replaced it before the limit and no pin lies between; a tombstone at the bottom says nothing.</summary>
    private static async Task<List<Version>> LeftByTheRuleAsync(TestStore store, IReadOnlyList<Pin> pins, TimeSpan age)
    {
        var commits = (await store.Database.ReadAsync<Published>("SELECT commit_id, published_seq, CASE WHEN published_at < {ago:@Age} THEN 1 ELSE 0 END AS is_old FROM {feature_store.commits} WHERE state = 'published'",
            new { Age = Timestamps.ToMicros(age) }, default)).ToDictionary(c => c.CommitId);
        var left = new List<Version>();
        foreach (var row in (await VersionsAsync(store)).GroupBy(v => (v.At, v.Sensor, v.Channel)))
        {
            var versions = row.OrderBy(v => commits[v.CommitId].PublishedSeq).ToList();
            bool Needed(int i, long until) => pins.Any(p => p.Window.Contains(row.Key.At) && p.Seq >= commits[versions[i].CommitId].PublishedSeq && (p.View != View || p.Seq < until));
            var keep = versions.Where((_, i) => i + 1 == versions.Count || commits[versions[i + 1].CommitId].IsOld == 0 || Needed(i, commits[versions[i + 1].CommitId].PublishedSeq)).ToList();
            while (keep.Count > 0 && keep[0].Deleted && commits[keep[0].CommitId].IsOld == 1
                && !pins.Any(p => p.View != View && p.Window.Contains(row.Key.At) && p.Seq >= commits[keep[0].CommitId].PublishedSeq))
                keep.RemoveAt(0);
            left.AddRange(keep);
        }
        return left;
    }

    private sealed class Published
    {
        public long CommitId { get; set; }

        public long PublishedSeq { get; set; }

        public long IsOld { get; set; }
    }

    private static async Task<List<long>> CommitAtRandomAsync(TestStore store, Random random, int commits)
    {
        var seqs = new List<long>();
        for (var n = 0; n < commits; n++)
        {
            var from = random.Next(0, 20);
            var window = new Window(Readings.At(from), Readings.At(random.Next(from + 1, 25)));
            var hours = Enumerable.Range(from, (int)(window.To - window.From).TotalHours);
            var cells = hours.SelectMany(h => new[] { "a", "b", "c" }.Select(s => (s, h))).Where(_ => random.NextDouble() < 0.5).ToArray();
            var current = (await Readings.AsOfAsync(store.Features, long.MaxValue, window)).Select(r => (r.Sensor, r.At)).ToHashSet();
            var (rows, deleted) = (new List<Reading>(), new List<Reading>());
            foreach (var (sensor, hour) in cells)
                if (current.Contains((sensor, Readings.At(hour))) && random.NextDouble() < 0.4)
                    deleted.Add(Readings.Row(sensor, hour, 0));
                else
                    rows.Add(Readings.Row(sensor, hour, n));
            if (rows.Count + deleted.Count > 0)
                seqs.Add(await Readings.PublishAsync(store, window, rows, deleted));
        }
        await EndOthersAsync(store, 0);
        return seqs;
    }

    /// <summary>Half of the pins read only what is current at their sequence; of the view of the others nothing is known, so they may read every version.</summary>
    private static async Task<List<Pin>> PinAtRandomAsync(TestStore store, Random random, List<long> seqs, int count)
    {
        var pins = new List<Pin>();
        for (var n = 0; n < count; n++)
        {
            var from = random.Next(0, 20);
            var pin = new Pin(seqs[random.Next(seqs.Count)], new(Readings.At(from), Readings.At(random.Next(from + 1, 25))), random.NextDouble() < 0.7 ? View : "forgotten-view", random.Next(2) == 0);
            pins.Add(pin);
            FeatureInput[] inputs = [new(Readings.Group.Name, Readings.Group.Version, pin.Seq, pin.Window)];
            if (pin.IsDataset)
                await store.Ledger.WinAsync(new(await store.AttemptAsync(Readings.Day, "training")) { Dataset = ModelRegistryCompliance.Dataset with { View = pin.View, ViewVersion = 1, Commits = [], Inputs = inputs } }, default);
            else
                await Predictions.PublishAsync(store, Readings.Day, [Predictions.Row("x", 1, 0.5)], view: pin.View, inputs: inputs);
        }
        await EndOthersAsync(store, 0);
        return pins;
    }

    private static async Task<string> ReadAllAsync(TestStore store, IReadOnlyList<Pin> pins)
    {
        var reads = new List<string>();
        foreach (var pin in pins)
            reads.Add($"{pin}: {string.Join(", ", (await Readings.AsOfAsync(store.Features, pin.Seq, pin.Window)).Order())}");
        reads.Add($"current: {string.Join(", ", (await Readings.AsOfAsync(store.Features, long.MaxValue, Readings.Day)).Order())}");
        reads.Add($"view: {await store.CountAsync("SELECT COUNT(*) FROM {feature_store.readings_v1}")}");
        return string.Join("\n", reads);
    }

    private static Task<List<Version>> VersionsAsync(TestStore store) => Task.FromResult(Readings.Read(store.Features.Scan(Readings.Group, Readings.Group.Columns, Readings.Day)));

    private static Task EndOthersAsync(TestStore store, long but) => store.Database.WriteAsync(async tx =>
    {
        await tx.ExecuteAsync("UPDATE {workflows.stage_runs} SET state = 'succeeded', lease_owner = NULL, lease_until = NULL WHERE run_id <> @but AND state IN ('pending', 'running')", new { but });
        await tx.ExecuteAsync("UPDATE {workflows.runs} SET state = 'succeeded', finished_at = {now} WHERE run_id <> @but AND state IN ('requested', 'running')", new { but });
    }, default);

    private static async Task<(bool, string?)> ReproducibleAsync(TestStore store, string model)
    {
        var version = (await store.Registry.FindVersionAsync(model, 1, default))!;
        return (version.Reproducible, version.Reason);
    }

    /// <summary>The same database; the token is cancelled after so many transactions.</summary>
    private sealed class Killing(StoreDatabase inner, int transactions, CancellationTokenSource kill) : StoreDatabase
    {
        private int _left = transactions;

        public override string Engine => inner.Engine;

        public override string Location => inner.Location;

        public override string Sql(string template) => inner.Sql(template);

        public override async Task<System.Data.Common.DbConnection> OpenReadAsync(CancellationToken ct) => await inner.OpenReadAsync(ct);

        public override async Task<T> WriteAsync<T>(Func<WriteTransaction, Task<T>> work, CancellationToken ct, bool durable = true)
        {
            var result = await inner.WriteAsync(work, ct, durable);
            if (--_left == 0)
                await kill.CancelAsync();
            ct.ThrowIfCancellationRequested();
            return result;
        }

        public override Task<long> ChangeTokenAsync(CancellationToken ct) => inner.ChangeTokenAsync(ct);

        public override Task BackupAsync(string file, CancellationToken ct) => inner.BackupAsync(file, ct);

        public override Task<SqlResult> QueryAsync(string sql, CancellationToken ct) => inner.QueryAsync(sql, ct);

        public override Task<IReadOnlyList<DatabaseCheck>> CheckAsync(CancellationToken ct) => inner.CheckAsync(ct);

        public override AiWorkflowsException? Explain(Exception error) => inner.Explain(error);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        protected override string Render(string name, string argument) => throw new NotSupportedException();
    }
}
