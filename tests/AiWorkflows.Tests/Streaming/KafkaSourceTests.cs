using System.Runtime.CompilerServices;
using System.Text;
using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Tests.Hosting;
using Confluent.Kafka;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Streaming;

/// <summary>Events from Kafka, on the cluster that its client library carries for tests.</summary>
public sealed class KafkaSourceTests : IDisposable
{
    private const string Topic = "movements";

    /// <summary>What a topic of that cluster has.</summary>
    private const int Partitions = 4;

    private readonly TempDirectory _directory = new();
    private readonly IProducer<string, byte[]> _producer = new ProducerBuilder<string, byte[]>(Config(new ProducerConfig { Acks = Acks.All })).Build();

    public void Dispose()
    {
        _producer.Dispose();
        SqliteConnection.ClearAllPools();
        _directory.Dispose();
    }

    [Fact]
    public async Task Consumers_that_die_between_fetch_and_commit_lose_and_double_nothing()
    {
        var (servers, events) = (Servers(), StreamOracleTests.Events(new Random(71), 600));
        await ProduceAsync(events[..400]);
        var dropped = new Dropped(2);
        void Define(AiWorkflowsBuilder ai) => ai.Stream<Movement>("movements", s => StreamOracleTests.Define(s, 3)
            .Lateness(TimeSpan.FromDays(2))
            .From(_ => new DroppedSource(new KafkaSource<Movement>(Consumer(servers), Topic, Partitions), dropped)));
        await using (var host = await ServedHost.StartAsync(_directory.FullName, settings: [], define: Define))
            await UntilAsync(async () => (await host.JsonAsync(HttpMethod.Get, "/api/streams/movements", 200)).GetProperty("events").GetInt64() >= 200);
        await ProduceAsync(events[400..]);
        await using var again = await ServedHost.StartAsync(_directory.FullName, settings: [], define: Define);
        await UntilAsync(async () => (await StreamsApiTests.RowsAsync<Movement>(again)).Count == events.Count);

        (await StreamsApiTests.RowsAsync<Movement>(again)).ShouldBe(events.Order(StreamOracleTests.Canonical));
        await using var batch = await StreamOracleTests.BatchAsync(events);
        (await StreamsApiTests.RowsAsync<Queue>(again)).ShouldBe(batch.Rows<Queue>());
        var shown = await again.JsonAsync(HttpMethod.Get, "/api/streams/movements", 200);
        (shown.GetProperty("events").GetInt64(), shown.GetProperty("duplicates").GetInt64(), shown.GetProperty("refused").GetInt64(), shown.GetProperty("sources").GetArrayLength())
            .ShouldBe((events.Count, 0, 0, Partitions), "each message came once, though consumers were dropped with messages in their hands");
        dropped.Times.ShouldBeGreaterThanOrEqualTo(2);
        // Offsets are ours: the group has committed nothing.
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig(Consumer(servers)) { GroupId = "aiworkflows" }).Build();
        consumer.Committed([.. Enumerable.Range(0, Partitions).Select(p => new TopicPartition(Topic, p))], TimeSpan.FromSeconds(10)).ShouldAllBe(o => o.Offset == Offset.Unset);
    }

    [Fact]
    public async Task A_message_that_is_no_event_goes_to_quarantine_and_a_format_of_ones_own_is_decoded()
    {
        var servers = Servers();
        foreach (var text in new[] { """{"airport":"LHR","id":1,"at":"2024-03-01T00:03:00Z"}""", "not json", """{"airport":"LHR"}""" })
            await _producer.ProduceAsync(new TopicPartition(Topic, 0), new() { Value = Encoding.UTF8.GetBytes(text) }, TestContext.Current.CancellationToken);
        var records = await Records(new KafkaSource<Movement>(Consumer(servers), Topic, Partitions), null, 3);
        records.Select(r => (r.Position, r.Event?.Id, r.Text)).ShouldBe([("0", 1, null), ("1", null, "not json"), ("2", null, """{"airport":"LHR"}""")]);
        records[2].Problem!.ShouldContain("$.at: it is missing");
        (await Records(new KafkaSource<Movement>(Consumer(servers), Topic, Partitions), "1", 1)).Single().Position.ShouldBe("2");
        var decoded = await Records(new KafkaSource<Movement>(Consumer(servers), Topic, Partitions,
            m => m.Offset == 1 ? throw new FormatException("no") : new("LHR", (int)m.Offset.Value, m.Message.Timestamp.UtcDateTime, m.Message.Value.Length, null)), null, 3);
        decoded.Select(r => (r.Event?.Delay, r.Problem)).ShouldBe([(52d, null), (null, "no"), (17d, null)]);
    }

    [Fact]
    public async Task Another_number_of_partitions_or_messages_that_are_gone_are_said()
    {
        var servers = Servers();
        await _producer.ProduceAsync(new TopicPartition(Topic, 0), new() { Value = "{}"u8.ToArray() }, TestContext.Current.CancellationToken);
        (await Should.ThrowAsync<StageFailedException>(() => Records(new KafkaSource<Movement>(Consumer(servers), Topic, 3), null, 1)))
            .Message.ShouldBe("Topic movements has 4 partitions, and the source says 3; correct partitions: 3.");
        (await Should.ThrowAsync<StageFailedException>(() => Records(new KafkaSource<Movement>(Consumer(servers), Topic, Partitions), "4711", 1)))
            .Message.ShouldStartWith("Partition 0 of topic movements no longer has what comes behind offset 4711");
    }

    private static ProducerConfig Config(ProducerConfig config)
    {
        config.Set("test.mock.num.brokers", "3");
        return config;
    }

    private static ConsumerConfig Consumer(string servers) => new() { BootstrapServers = servers, FetchWaitMaxMs = 50 };

    /// <summary>Where the cluster listens that lives in the producer.</summary>
    private string Servers()
    {
        using var admin = new DependentAdminClientBuilder(_producer.Handle).Build();
        return string.Join(',', admin.GetMetadata(Topic, TimeSpan.FromSeconds(20)).Brokers.Select(b => $"{b.Host}:{b.Port}"));
    }

    private async Task ProduceAsync(IEnumerable<Movement> events)
    {
        foreach (var e in events)
            _ = _producer.ProduceAsync(Topic, new() { Key = e.Airport, Value = Encoding.UTF8.GetBytes(RowCodec<Movement>.Instance.Json(e)) }, TestContext.Current.CancellationToken);
        await Task.Run(() => _producer.Flush(TestContext.Current.CancellationToken));
    }

    private static async Task<List<StreamRecord<Movement>>> Records(KafkaSource<Movement> source, string? after, int count)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        return await source.ReadAsync(0, after, patience.Token).Take(count).ToListAsync(patience.Token);
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
            await Task.Delay(50, patience.Token);
    }

    /// <summary>How often consumers are dropped.</summary>
    private sealed class Dropped(int most)
    {
        private int _times;

        public int Times => Math.Min(_times, most);

        public bool Drop() => Interlocked.Increment(ref _times) <= most;
    }

    /// <summary>A consumer that dies with messages in its hands that nobody has committed.</summary>
    private sealed class DroppedSource(KafkaSource<Movement> source, Dropped dropped) : IStreamSource<Movement>
    {
        public int Parts => source.Parts;

        public async IAsyncEnumerable<StreamRecord<Movement>> ReadAsync(int part, string? after, [EnumeratorCancellation] CancellationToken ct)
        {
            var read = 0;
            await foreach (var record in source.ReadAsync(part, after, ct))
            {
                if (++read == 37 && dropped.Drop())
                    throw new IOException("The connection was reset.");
                yield return record;
            }
        }
    }
}
