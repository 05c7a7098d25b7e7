using AiWorkflows.Workflows;

namespace AiWorkflows.Storage.Retention;

/// <summary>A sequence that somebody has read a group at, over a window of event time, and may have to read again.</summary>
internal sealed class VersionPin
{
    public long Seq { get; set; }

    /// <summary>Null, as <see cref="WindowTo"/>: whatever event time.</summary>
    public Utc? WindowFrom { get; set; }

    public Utc? WindowTo { get; set; }

    /// <summary>The dataset whose pin it is, and that would not be the same without it.</summary>
    public long? DatasetId { get; set; }

    /// <summary>The view that reads; null where a pipeline does.</summary>
    public string? FeatureView { get; set; }

    public int ViewVersion { get; set; }

    /// <summary>1: it holds no longer; what it held is marked.</summary>
    public long Released { get; set; }

    /// <summary>Whether every version up to <see cref="Seq"/> is read, not only the last.</summary>
    public bool ReadsAll { get; set; }
}

/// <summary>Who still needs versions of a group: datasets, published predictions, stages that are under way, backfills, and what is being written.</summary>
internal static class VersionPins
{
    private const string OfGroup = """
        SELECT i.as_of_seq AS seq, i.window_from, i.window_to, i.dataset_id, d.feature_view, d.view_version,
            CASE WHEN d.published_at < @ReproducibleSince AND NOT EXISTS (SELECT 1 FROM {model_registry.versions} v JOIN {model_registry.aliases} a ON a.model = v.model AND a.version = v.version
                WHERE v.dataset_id = d.dataset_id) THEN 1 ELSE 0 END AS released
        FROM {feature_store.dataset_inputs} i JOIN {feature_store.training_datasets} d ON d.dataset_id = i.dataset_id
        WHERE i.feature_group = @Group AND i.version = @Version AND d.reproducible = 1
        UNION ALL
        SELECT i.as_of_seq, i.window_from, i.window_to, NULL, b.feature_view, b.view_version, 0
        FROM {prediction_log.batch_inputs} i JOIN {prediction_log.batches} b ON b.batch_id = i.batch_id
        WHERE i.feature_group = @Group AND i.version = @Version AND b.state = 'published' AND b.published_at >= @PredictionsSince
        UNION ALL
        SELECT s.as_of_seq, NULL, NULL, NULL, NULL, 0, 0
        FROM {workflows.runs} r JOIN {workflows.stage_runs} s ON s.run_id = r.run_id
        WHERE r.state IN ('requested', 'running', 'failed', 'cancelled') AND s.state NOT IN ('succeeded', 'skipped') AND s.as_of_seq IS NOT NULL
        UNION ALL
        SELECT f.pin_seq, NULL, NULL, NULL, NULL, 0, 0
        FROM {workflows.backfills} f WHERE EXISTS (SELECT 1 FROM {workflows.runs} r WHERE r.backfill_id = f.backfill_id AND r.state IN ('requested', 'running', 'failed', 'cancelled'))
        UNION ALL
        SELECT c.base_seq, c.window_from, c.window_to, NULL, NULL, 0, 0
        FROM {feature_store.commits} c WHERE c.feature_group = @Group AND c.version = @Version AND c.state IN ('writing', 'sealed')
        """;

    public static async Task<IReadOnlyList<VersionPin>> ReadAsync(
        StoreDatabase database, string group, int version, RetentionLimits limits, IReadOnlyList<ViewReads> views, CancellationToken ct)
    {
        var pins = await database.ReadAsync<VersionPin>(OfGroup, new
        {
            Group = group, Version = version, limits.ReproducibleSince, PredictionsSince = limits[RetentionClass.Predictions],
        }, ct);
        // Of a view that this program does not know, it is not known how it reads.
        foreach (var pin in pins.Where(p => p.FeatureView is not null))
            pin.ReadsAll = views.FirstOrDefault(v => v.View == pin.FeatureView && v.Version == pin.ViewVersion)?.AsPublished.Contains((group, version)) ?? true;
        return pins;
    }
}

/// <summary>The pins whose windows contain an event time that only moves forward.</summary>
internal sealed class ActivePins
{
    private readonly VersionPin[] _byStart;
    private readonly PriorityQueue<VersionPin, DateTime> _byEnd = new();
    private readonly SortedSet<(long Seq, int Id)> _held = [];
    private readonly SortedSet<(long Seq, int Id)> _heldAll = [];
    private readonly Dictionary<VersionPin, int> _ids = [];
    private readonly List<VersionPin> _released = [];
    private int _next;

    public ActivePins(IReadOnlyList<VersionPin> pins)
    {
        _byStart = [.. pins.OrderBy(p => From(p))];
        foreach (var pin in pins)
            _ids.Add(pin, _ids.Count + 1);
    }

    public void MoveTo(DateTime time)
    {
        while (_next < _byStart.Length && From(_byStart[_next]) <= time)
        {
            var pin = _byStart[_next++];
            _byEnd.Enqueue(pin, pin.WindowTo?.Value ?? DateTime.MaxValue);
            if (pin.Released == 1)
                _released.Add(pin);
            else
                (pin.ReadsAll ? _heldAll : _held).Add((pin.Seq, _ids[pin]));
        }
        while (_byEnd.TryPeek(out var ended, out var end) && end <= time)
        {
            _byEnd.Dequeue();
            _released.Remove(ended);
            _held.Remove((ended.Seq, _ids[ended]));
            _heldAll.Remove((ended.Seq, _ids[ended]));
        }
    }

    /// <summary>Whether somebody who still counts reads a version that was published at <paramref name="seq"/> and replaced at <paramref name="replaced"/>.</summary>
    public bool Holds(long seq, long replaced)
    {
        // One that reads all versions reads this one too, however often it was replaced before the pin.
        if (ReadsAll(seq))
            return true;
        // The smallest of an empty view is the default value, and ids start at 1.
        return _held.GetViewBetween((seq, 0), (Math.Max(seq, replaced - 1), int.MaxValue)).Min.Id > 0;
    }

    /// <summary>Whether somebody reads every version from <paramref name="seq"/> on.</summary>
    public bool ReadsAll(long seq) => _heldAll.Count > 0 && _heldAll.Max.Seq >= seq;

    /// <summary>The datasets that had read such a version, and hold it no longer.</summary>
    public IEnumerable<long> Breaks(long seq, long replaced) =>
        _released.Where(p => p.Seq >= seq && (p.ReadsAll || p.Seq < replaced)).Select(p => p.DatasetId!.Value);

    private static DateTime From(VersionPin pin) => pin.WindowFrom?.Value ?? DateTime.MinValue;
}
