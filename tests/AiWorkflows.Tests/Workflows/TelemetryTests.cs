using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using Microsoft.Extensions.Logging;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

public class TelemetryTests
{
    [Fact]
    public async Task A_run_is_one_trace_of_its_attempts_with_what_each_read_and_published_and_of_the_run_itself()
    {
        using var spans = new Spans("traced-one");
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, Traced("traced-one"));
        host.Probe.Before["tick"] = (_, _) => host.Probe.CountOf("tick") == 1 ? throw new IOException("Away.") : Task.CompletedTask;
        var run = await RunAsync(host, "traced-one");

        var trace = RunTrace.TraceId((await host.Ledger.FindRunAsync(run, default))!);
        spans.All.ShouldAllBe(s => s.TraceId == trace);
        spans.Named("traced-one tick").Select(s => (s.Status, s.GetTagItem("aiworkflows.attempt"))).ShouldBe([(ActivityStatusCode.Error, 1), (ActivityStatusCode.Unset, 2)]);
        var second = spans.Named("traced-one double").ShouldHaveSingleItem();
        second.ParentSpanId.ShouldBe(default);
        second.GetTagItem("aiworkflows.host").ShouldBe("test");
        second.GetTagItem("aiworkflows.rows_written").ShouldBe(16L);
        second.GetTagItem("aiworkflows.window_from").ShouldBe("2001-01-01T00:00:00Z");
        ((double)second.GetTagItem("aiworkflows.queue_seconds")!).ShouldBeInRange(0, 30);
        spans.Named("publish").Count(s => s.ParentSpanId == second.SpanId).ShouldBe(1);
        spans.Named("read ticks").Where(s => s.ParentSpanId == second.SpanId).ShouldHaveSingleItem().GetTagItem("aiworkflows.rows").ShouldBe(16L);

        var whole = spans.Named("run traced-one").ShouldHaveSingleItem();
        var ledger = (await host.Ledger.FindRunAsync(run, default))!;
        (whole.StartTimeUtc, whole.StartTimeUtc + whole.Duration).ShouldBe((ledger.StartedAt!.Value, ledger.FinishedAt!.Value));
        whole.GetTagItem("aiworkflows.state").ShouldBe("succeeded");
        whole.ParentSpanId.ShouldBe(default);
    }

    [Fact]
    public async Task Stages_on_two_hosts_share_a_trace_although_the_first_host_was_killed()
    {
        using var spans = new Spans("traced-two");
        await using var file = await SqliteFile.MigratedAsync();
        var probe = new Probe();
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = await EngineHost.StartAsync(file, Traced("traced-two"), probe);
        probe.Before["double"] = async (_, _) =>
        {
            reached.TrySetResult();
            await Task.Delay(Timeout.Infinite, CancellationToken.None);
        };
        var run = (await first.Engine.RequestAsync(new("traced-two", Days(1, 3), "me", "manual"), default)).RunId!.Value;
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await first.AbandonAsync();

        probe.Before.Clear();
        var next = EngineHost.Quick();
        await using var second = await EngineHost.StartAsync(file, Traced("traced-two"), probe, options: new() { Host = "other", CodeVersion = "2", DatasetDirectory = next.DatasetDirectory, Poll = next.Poll, Sweep = next.Sweep });
        (await second.EndAsync(run)).Run.State.ShouldBe("succeeded");
        await Task.WhenAll(second.Dispatcher.Jobs);

        var attempts = spans.All.Where(s => s.GetTagItem("aiworkflows.attempt") is not null).ToArray();
        attempts.Select(s => (s.DisplayName, s.GetTagItem("aiworkflows.host"))).ShouldBe([("traced-two tick", "test"), ("traced-two double", "other")], ignoreOrder: true);
        attempts.Select(s => s.TraceId).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task Runs_are_different_traces_and_a_run_of_the_same_number_in_another_database_too()
    {
        var ids = new HashSet<ActivityTraceId>();
        for (var database = 0; database < 2; database++)
        {
            await using var file = await SqliteFile.MigratedAsync();
            await using var host = await EngineHost.StartAsync(file, Traced("w"), loop: false);
            for (var run = 0; run < 2; run++)
                ids.Add(RunTrace.TraceId((await host.Ledger.FindRunAsync((await host.RequestAsync(Days(1 + run, 2 + run))).RunId!.Value, default))!)).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task Attempts_durations_rows_and_waits_are_measured_under_their_documented_names()
    {
        using var measurements = new Measurements("measured");
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, Traced("measured"));
        host.Probe.Before["tick"] = (_, _) => host.Probe.CountOf("tick") == 1 ? throw new IOException("Away.") : Task.CompletedTask;
        await RunAsync(host, "measured");

        measurements.Of("aiworkflows.stage.attempts").Select(m => m.Tags).ShouldBe(["measured tick retry", "measured tick succeeded", "measured double succeeded"]);
        measurements.Of("aiworkflows.stage.attempt.duration").ShouldAllBe(m => m.Value > 0 && m.Value < 30);
        measurements.Of("aiworkflows.stage.rows.written").Select(m => (m.Tags, m.Value)).ShouldBe([("measured tick retry", 0), ("measured tick succeeded", 16), ("measured double succeeded", 16)]);
        measurements.Of("aiworkflows.stage.rows.read")[^1].ShouldBe(("measured double succeeded", 16));
        measurements.Of("aiworkflows.stage.queue.duration").Select(m => m.Tags).ShouldBe(["measured tick features", "measured tick features", "measured double features"]);
        measurements.Of("aiworkflows.stage.queue.duration").ShouldAllBe(m => m.Value >= 0 && m.Value < 30);
        measurements.Of("aiworkflows.run.duration").ShouldHaveSingleItem().Tags.ShouldBe("measured succeeded");
    }

    [Fact]
    public async Task A_sweep_measures_what_waits_the_hosts_and_the_leases_that_ran_out()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var store = await SqliteTestStore.OpenAsync();
        var attempt = await store.AttemptAsync(Days(1, 2));
        await store.StartRunAsync(Days(2, 3), "later");
        var waiting = (await store.Ledger.OpenRunsAsync(default))[^1].RunId;
        var queues = await store.Ledger.QueuesAsync(default);
        queues.ShouldBeEmpty("what is claimed or not yet dispatched waits for no worker");
        await store.Ledger.AdvanceAsync(waiting, "engine", 10, default);
        var queue = (await store.Ledger.QueuesAsync(default)).ShouldHaveSingleItem();
        (queue.Queue, queue.Waiting).ShouldBe(("features", 1));
        queue.Oldest.ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromSeconds(30));

        using var measurements = new Measurements();
        await using var host = await EngineHost.StartAsync(file, Traced("idle"), loop: false);
        await host.Ledger.HostSeenAsync(new("a", "e", 1, "serve", null, "{}", "1", Day(1), Day(1)), default);
        await host.Engine.SweepAsync(default);
        measurements.Of("aiworkflows.hosts").Select(m => m.Value).ShouldContain(1);
        await store.LetLeasesRunOutAsync();
        (await store.Ledger.ExpireAsync(everything: false, 10, default)).ShouldBe(1);
        EngineTelemetry.LeasesWereLost(1);
        measurements.Of("aiworkflows.leases.lost").Select(m => m.Value).ShouldContain(1);
        attempt.Attempt.ShouldBe(1);
    }

    [Fact]
    public void The_guide_names_every_instrument_with_its_unit_and_no_other()
    {
        var guide = File.ReadAllText(Path.Combine(Architecture.DependencyTests.RepositoryRoot(), "docs", "telemetry.md"));
        var documented = System.Text.RegularExpressions.Regex.Matches(guide, @"^\| `(aiworkflows\.[a-z.]+)` \| `?([^|`]+?)`? \|", System.Text.RegularExpressions.RegexOptions.Multiline)
            .Select(m => (m.Groups[1].Value, m.Groups[2].Value));
        var instruments = new List<(string, string)>();
        using var listener = new MeterListener { InstrumentPublished = (i, _) => { if (i.Meter == Telemetry.Meter) lock (instruments) instruments.Add((i.Name, i.Unit!)); } };
        _ = EngineTelemetry.HostsAreWatched;
        listener.Start();
        documented.ShouldBe(instruments, ignoreOrder: true);
    }

    private static Action<AiWorkflowsBuilder> Traced(string name) => ai => ai.Workflow(name, w => w.Window(TimeSpan.FromDays(1), Origin).Stage<DoublePipeline>().Stage<TickPipeline>());

    private static async Task<long> RunAsync(EngineHost host, string workflow)
    {
        var run = (await host.Engine.RequestAsync(new(workflow, Days(1, 3), "me", "manual"), default)).RunId!.Value;
        (await host.EndAsync(run)).Run.State.ShouldBe("succeeded");
        await Task.WhenAll(host.Dispatcher.Jobs);
        return run;
    }

    /// <summary>The spans of one workflow's traces; other tests may make some at the same time.</summary>
    private sealed class Spans : IDisposable
    {
        private readonly ConcurrentQueue<Activity> _stopped = [];
        private readonly ActivityListener _listener;
        private readonly string _workflow;

        public Spans(string workflow)
        {
            _workflow = workflow;
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "AiWorkflows",
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = _stopped.Enqueue,
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public IReadOnlyList<Activity> All
        {
            get
            {
                var traces = _stopped.Where(s => (string?)s.GetTagItem("aiworkflows.workflow") == _workflow).Select(s => s.TraceId).ToHashSet();
                return [.. _stopped.Where(s => traces.Contains(s.TraceId))];
            }
        }

        public IReadOnlyList<Activity> Named(string name) => [.. All.Where(s => s.DisplayName == name)];

        public void Dispose() => _listener.Dispose();
    }

    /// <summary>What was measured with the given workflow among its tags, or at all; tags are their values in the order of their names in the code.</summary>
    private sealed class Measurements : IDisposable
    {
        private readonly ConcurrentQueue<(string Name, string Tags, double Value)> _taken = [];
        private readonly MeterListener _listener = new();

        public Measurements(string? workflow = null)
        {
            _listener.InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == "AiWorkflows")
                    l.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Take(i.Name, value, tags));
            _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Take(i.Name, value, tags));
            _listener.Start();

            void Take(string name, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
            {
                if (workflow is null || tags.ToArray().Any(t => t.Key == "workflow" && (string?)t.Value == workflow))
                    _taken.Enqueue((name, string.Join(" ", tags.ToArray().Select(t => t.Value)), value));
            }
        }

        public IReadOnlyList<(string Tags, double Value)> Of(string name) => [.. _taken.Where(t => t.Name == name).Select(t => (t.Tags, t.Value))];

        public void Dispose() => _listener.Dispose();
    }
}
