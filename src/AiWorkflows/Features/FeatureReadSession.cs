using System.Collections.Concurrent;

namespace AiWorkflows.Features;

/// <summary>All reads of one stage: as of one sequence, and each recorded with the commits that it saw. The only way to read a group.</summary>
/// <param name="backfill">Not null: groups of others are read as of the backfill's sequence.</param>
/// <param name="recorded">Sequences that an earlier session read some groups as of, which this one repeats.</param>
internal sealed class FeatureReadSession(
    IFeatureStore store, long asOfSeq, StageProgress? progress = null, BackfillContext? backfill = null, IReadOnlyDictionary<(string Group, int Version), long>? recorded = null)
{
    private readonly ConcurrentDictionary<FeatureInput, IReadOnlyList<PublishedCommit>> _inputs = [];

    public IFeatureStore Store => store;

    public long AsOfSeq => asOfSeq;

    public StageProgress? Progress => progress;

    /// <summary>Reads as an earlier session did that recorded these inputs: each group as of the sequence that it was read as of then.</summary>
    public static FeatureReadSession Again(IFeatureStore store, long asOfSeq, IEnumerable<(string Group, int Version, long AsOfSeq)> inputs) =>
        new(store, asOfSeq, recorded: inputs.GroupBy(i => (i.Group, i.Version)).ToDictionary(g => g.Key, g => g.Max(i => i.AsOfSeq)));

    /// <summary>What was read, in a stable order.</summary>
    public IReadOnlyList<FeatureInput> Inputs =>
        [.. _inputs.Keys.OrderBy(i => i.Group, StringComparer.Ordinal).ThenBy(i => i.Version).ThenBy(i => i.Window.From).ThenBy(i => i.Window.To)];

    /// <summary>The commits that the reads could see, ascending.</summary>
    public IReadOnlyList<long> Commits => [.. _inputs.Values.SelectMany(c => c).Select(c => c.CommitId).Distinct().Order()];

    /// <summary>Records a read of <paramref name="group"/> over <paramref name="window"/> and returns the commits that it sees.</summary>
    public async Task<IReadOnlyList<PublishedCommit>> OpenAsync(GroupSchema group, Window window, CancellationToken ct)
    {
        var seq = recorded is not null && recorded.TryGetValue((group.Name, group.Version), out var then) ? then
            : backfill is null || backfill.OwnGroups.Contains(group.Name) ? asOfSeq : Math.Min(asOfSeq, backfill.PinSeq);
        var commits = await store.CommitsAsync(group, seq, window, ct);
        _inputs[new(group.Name, group.Version, seq, window)] = commits;
        return commits;
    }
}
