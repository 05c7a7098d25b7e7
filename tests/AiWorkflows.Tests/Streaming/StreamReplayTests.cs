using System.Runtime.CompilerServices;
using AiWorkflows.Tests.Hosting;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AiWorkflows.Tests.Streaming;

/// <summary>Streams whose events happen again: all at once, or by the clock of a replay.</summary>
public sealed class StreamReplayTests : IDisposable
{
    private static readonly DateTime Start = new(2024, 3, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly TempDirectory _directory = new();

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _directory.Dispose();
    }

    [Fact]
    public async Task The_command_brings_in_what_the_stream_declares_once()
    {
        var declared = Define(replayed: true);
        (await RunAsync(declared)).ShouldBe((0, "400 events are in stream movements. `streams show movements` tells how far it is.\n", ""));
        (await RunAsync(declared)).Out.ShouldContain("0 events are in stream movements; 400 had been brought before");
        await using (var host = await ServedHost.StartAsync(_directory.FullName, settings: [], define: declared))
            await UntilAsync(async () => (await StreamsApiTests.RowsAsync<Movement>(host)).Count == 400);
        var (code, _, error) = await RunAsync(Define(replayed: false));
        code.ShouldBe(2);
        error.ShouldContain("Stream movements does not say what it is replayed from: name a file, as in 'streams replay movements events.ndjson', or declare it with s.Replay<…>().");
    }

    [Fact]
    public async Task A_replay_takes_each_event_in_when_its_clock_comes_to_it()
    {
        var from = Start.AddHours(2);
        await using var host = ServedHost.Build(_directory.FullName, settings: new() { ["AiWorkflows:Clock"] = "2024-03-05T00:00:00Z" }, define: Define(replayed: true));
        var serving = host.RunAsync("serve", "--replay", "2024-03-01T02:00:00Z", "--speed", "5400");
        try
        {
            await UntilAsync(() => Task.FromResult(serving.IsCompleted || host.Out.Contains("Replay:", StringComparison.Ordinal)));
            host.Out.ShouldContain("Streams go with the clock: movements.");
            var clock = host.Services.GetRequiredService<BusinessClock>();
            // Nothing of what has not happened yet.
            for (var looks = 0; looks < 5; looks++)
            {
                var rows = await StreamsApiTests.RowsAsync<Movement>(host);
                var now = clock.GetUtcNow().UtcDateTime;
                rows.ShouldAllBe(e => e.At >= from && e.At <= now);
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
            await UntilAsync(async () => host.Out.Contains("the replay has come to its end", StringComparison.Ordinal)
                && (await StreamsApiTests.RowsAsync<Movement>(host)).Count == MovementHistory.Events.Count(e => e.At >= from && e.At < Start.AddHours(6)));
        }
        finally
        {
            if (!serving.IsCompleted)
                host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        }
        (await serving).ShouldBe(0, host.Error);
    }

    private static Action<AiWorkflowsBuilder> Define(bool replayed) => ai => ai
        .Stream<Movement>("movements", s => _ = replayed ? StreamOracleTests.Define(s, 2).Replay<MovementHistory>() : StreamOracleTests.Define(s, 2))
        .Workflow("history", w => w.Every("0 * * * *").Window(TimeSpan.FromHours(1), Start).Until(Start.AddHours(6)).Stage<PulsePipeline>());

    private async Task<(int Code, string Out, string Error)> RunAsync(Action<AiWorkflowsBuilder> define)
    {
        await using var host = ServedHost.Build(_directory.FullName, settings: [], define: define);
        return (await host.RunAsync("streams", "replay", "movements"), host.Out.ReplaceLineEndings("\n"), host.Error);
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
            await Task.Delay(50, patience.Token);
    }
}

/// <summary>What happened, in its order.</summary>
public sealed class MovementHistory : IStreamSource<Movement>
{
    internal static List<Movement> Events { get; } = StreamOracleTests.Events(new Random(91), 400);

    public async IAsyncEnumerable<StreamRecord<Movement>> ReadAsync(int part, string? after, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.Yield();
        for (var i = 0; i < Events.Count; i++)
            yield return new(i.ToString(System.Globalization.CultureInfo.InvariantCulture), Events[i]);
    }
}
