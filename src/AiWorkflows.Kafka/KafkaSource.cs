using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using AiWorkflows.Features;
using AiWorkflows.Streaming;
using Confluent.Kafka;

namespace AiWorkflows;

/// <summary>
/// Reads the events of a stream from a topic of Apache Kafka: <c>s.From(_ => new KafkaSource&lt;FlightEvent&gt;(new ConsumerConfig { BootstrapServers = "…" }, "flights", partitions: 6))</c>.
/// Offsets are kept in the store, in one transaction with the events; what the consumer group has committed is neither read nor written, so a message is taken in once, whatever dies.
/// </summary>
/// <typeparam name="TEvent">The record of the events.</typeparam>
public sealed class KafkaSource<TEvent> : IStreamSource<TEvent> where TEvent : class
{
    private const string Group = "aiworkflows";

    private static readonly TimeSpan MetadataTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly EventReader<TEvent> Events = new();

    private readonly ConsumerConfig _config;
    private readonly string _topic;
    private readonly Func<ConsumeResult<byte[], byte[]>, TEvent>? _decode;

    /// <summary>Takes a topic in.</summary>
    /// <param name="config">Servers, security, sizes; <c>GroupId</c> is only a name here. Offsets are never committed, and where an offset is gone the source stands still and says so.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="partitions">How many partitions the topic has; each is read by one host at a time. Where the topic has another number the source stands still and says so.</param>
    /// <param name="decode">Makes an event of a message; null for a value that is a JSON object by column name. What it throws sends the message to quarantine.</param>
    public KafkaSource(ConsumerConfig config, string topic, int partitions, Func<ConsumeResult<byte[], byte[]>, TEvent>? decode = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentException.ThrowIfNullOrWhiteSpace(topic);
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        _config = new ConsumerConfig(config.ToDictionary(c => c.Key, c => c.Value))
        {
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            // Never the next best place: what is gone was not read.
            AutoOffsetReset = AutoOffsetReset.Error,
            EnablePartitionEof = false,
        };
        _config.GroupId ??= Group;
        (_topic, Parts, _decode) = (topic, partitions, decode);
    }

    /// <inheritdoc/>
    public int Parts { get; }

    /// <summary>The messages of a partition behind an offset, and those that come; it does not end.</summary>
    /// <inheritdoc/>
    /// <exception cref="StageFailedException">The topic has another number of partitions, or the messages behind the offset are gone.</exception>
    public async IAsyncEnumerable<StreamRecord<TEvent>> ReadAsync(int part, string? after, [EnumeratorCancellation] CancellationToken ct)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(_config).SetLogHandler(static (_, _) => { }).Build();
        await Task.Run(() => CheckPartitions(consumer), ct);
        consumer.Assign(new TopicPartitionOffset(_topic, part, after is null ? Offset.Beginning : new Offset(long.Parse(after, CultureInfo.InvariantCulture) + 1)));
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            if (Next(consumer, part, after) is not { } message)
                await Task.Delay(Pause, ct);
            else if (!message.IsPartitionEOF)
                yield return Read(message);
        }
    }

    /// <summary>The next message that has arrived; null where none has.</summary>
    private ConsumeResult<byte[], byte[]>? Next(IConsumer<byte[], byte[]> consumer, int part, string? after)
    {
        try
        {
            return consumer.Consume(TimeSpan.Zero);
        }
        catch (ConsumeException e) when (e.Error.Code is ErrorCode.Local_AutoOffsetReset or ErrorCode.OffsetOutOfRange)
        {
            throw new StageFailedException(
                $"Partition {part} of topic {_topic} no longer has what comes behind offset {after ?? "0"}: the topic's retention was shorter than this stream stood still, or the topic was made anew. "
                + "Give the stream another name to begin at the beginning of what there is.", e);
        }
    }

    private void CheckPartitions(IConsumer<byte[], byte[]> consumer)
    {
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var topic = admin.GetMetadata(_topic, MetadataTimeout).Topics.FirstOrDefault(t => t.Topic == _topic);
        if (topic is null || topic.Error.IsError)
            throw new StageFailedException($"Topic {_topic} cannot be read: {topic?.Error.Reason ?? "there is none"}.");
        if (topic.Partitions.Count != Parts)
            throw new StageFailedException($"Topic {_topic} has {topic.Partitions.Count} partitions, and the source says {Parts}; correct partitions: {Parts}.");
    }

    private StreamRecord<TEvent> Read(ConsumeResult<byte[], byte[]> message)
    {
        var position = message.Offset.Value.ToString(CultureInfo.InvariantCulture);
        try
        {
            if (_decode is not null)
                return new(position, _decode(message) ?? throw new FormatException("decode gave nothing."));
            if (message.Message.Value is not { } value)
                return StreamRecord<TEvent>.Unreadable(position, "", "the message has no value");
            using var document = JsonDocument.Parse(value);
            return new(position, Events.Read(document.RootElement, "$"));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return StreamRecord<TEvent>.Unreadable(position, Encoding.UTF8.GetString(message.Message.Value ?? []), e.Message);
        }
    }
}
