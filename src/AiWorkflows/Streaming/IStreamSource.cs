namespace AiWorkflows;

/// <summary>Where the events of a stream come from: anything that can be read again from a position. A host that serves reads it, each part in one host at a time.</summary>
/// <typeparam name="TEvent">The record of the events.</typeparam>
public interface IStreamSource<TEvent> where TEvent : class
{
    /// <summary>How many parts are read independently of each other. They are no partitions: each event goes to the partition of its key.</summary>
    /// <value>The default value is 1.</value>
    int Parts => 1;

    /// <summary>
    /// The events of a part behind a position, in their order. Where it ends, it is called again a second later with the position of the last event, so a source that
    /// is polled gives what there is and ends.
    /// </summary>
    /// <param name="part">From 0 on.</param>
    /// <param name="after">The position of the last event that was taken in; null for the beginning.</param>
    /// <param name="ct">Cancelled when the host stops or another takes the part over.</param>
    IAsyncEnumerable<StreamRecord<TEvent>> ReadAsync(int part, string? after, CancellationToken ct);
}

/// <summary>An event with its position in its source.</summary>
/// <param name="Position">What <see cref="IStreamSource{TEvent}.ReadAsync"/> is given in order to go on behind it; at most 1000 characters.</param>
/// <param name="Event">The event.</param>
/// <typeparam name="TEvent">The record of the events.</typeparam>
public readonly record struct StreamRecord<TEvent>(string Position, TEvent Event) where TEvent : class
{
    /// <summary>Why it is no event; null where it is one.</summary>
    internal string? Problem { get; init; }

    /// <summary>What was read instead.</summary>
    internal string? Text { get; init; }

    /// <summary>What is no event goes into quarantine, under the rule <c>unreadable</c>, and is not read again.</summary>
    /// <param name="position">As that of an event.</param>
    /// <param name="text">What was read, for the person who looks into quarantine.</param>
    /// <param name="problem">Why it is no event.</param>
    public static StreamRecord<TEvent> Unreadable(string position, string text, string problem) => new(position, null!) { Problem = problem, Text = text };
}
