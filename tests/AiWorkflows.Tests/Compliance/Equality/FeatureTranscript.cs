using AiWorkflows.Features;
using AiWorkflows.Models;
using AiWorkflows.Tests.Features;
using AiWorkflows.Training;

namespace AiWorkflows.Tests.Compliance.Equality;

/// <summary>
/// Plays one random history of commits against a feature store and writes down all that can be read of it: differences, reads as of every commit, versions, entities, the dataset of a view.
/// On the way everything is held against the rows that were given, so that one store alone is tried too.
/// </summary>
internal sealed class FeatureTranscript(IFeatureStore store, Func<Window, Task<AttemptRef>> begin, Func<AttemptRef, CommitSeal, Task<long>> publish, int seed)
{
    private const int Commits = 14;

    private static readonly RowCodec<Edge> Codec = RowCodec<Edge>.Instance;

    /// <summary>The first and the last that can be stored, one across 1970, one across several midnights.</summary>
    private static readonly Window[] Windows =
    [
        new(At(1, 1, 1), At(1, 1, 2)), new(At(1969, 12, 31), At(1970, 1, 2)), new(At(2001, 1, 1), At(2001, 1, 4)),
        new(At(9999, 12, 31), DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc).AddTicks(-9)),
    ];

    private readonly EdgeValues _values = new(seed);
    private readonly Dictionary<string, Edge> _current = new(StringComparer.Ordinal);
    private readonly List<(long Seq, List<Edge> Rows)> _snapshots = [];
    private readonly Dictionary<long, int> _commitNumbers = [];
    private readonly List<string> _lines = [];

    public static readonly RegisteredGroup[] Groups = [new(Codec.Schema, "edges"), new(RowCodec<EdgeOutcome>.Instance.Schema, "edge_outcomes")];

    public async Task<IReadOnlyList<string>> PlayAsync()
    {
        for (var i = 0; i < Commits; i++)
        {
            var window = i < Windows.Length ? Windows[i] : _values.Pick(Windows);
            var seq = i >= Windows.Length && _values.Random.Next(3) == 0 ? await PatchAsync(window) : await ReplaceAsync(window, i % 5 == 4);
            _snapshots.Add((seq, Sorted(_current.Values)));
        }
        // The dataset needs examples, whatever chance has left of its window.
        _snapshots.Add((await ReplaceAsync(Windows[2], asItIs: false, added: 30), Sorted(_current.Values)));
        foreach (var (seq, rows) in _snapshots)
            await ReadAsync(seq, rows);
        foreach (var window in Windows)
            Scan(window);
        foreach (var row in _current.Values.Take(20).ToArray())
            Seek(row);
        await DatasetAsync();
        return _lines;
    }

    /// <summary>Another set of rows for the window: some as they are, some changed, some gone, some new.</summary>
    private async Task<long> ReplaceAsync(Window window, bool asItIs, int added = 12)
    {
        var here = _current.Where(r => window.Contains(r.Value.At)).ToArray();
        var next = asItIs ? here.Select(r => r.Value).ToList() : [.. here.Where(_ => _values.Random.Next(4) > 0).Select(r => _values.Half() ? r.Value : Codec.Canonicalize(_values.WithFeatures(r.Value)))];
        if (!asItIs)
            next.AddRange(Enumerable.Range(0, added).Select(_ => Codec.Canonicalize(_values.Row(window))));
        next = Sorted(next.DistinctBy(Identity));
        var attempt = await begin(window);
        await using var writer = await store.OpenCommitAsync(new(Codec.Schema, CommitKind.Replace, window, attempt, "code"), default);
        await using var difference = await DifferenceWriter<Edge>.OpenAsync(store, writer, window, new StageProgress(), default);
        foreach (var row in next)
            if (difference.Accept(row))
                await difference.FlushAsync(default);
        await difference.CompleteAsync(default);

        var seal = new CommitSeal(writer.CommitId, Codec.Schema, window, writer.BaseSeq, difference.Written, difference.Tombstones, difference.Added, next.Count, 0, difference.MinEventTime, difference.MaxEventTime,
            difference.Statistics.ToJson(), "[]", [], difference.Buckets);
        var changed = next.Where(r => !_current.TryGetValue(Identity(r), out var old) || CellText.Of(old) != CellText.Of(r)).ToArray();
        var gone = here.Where(h => !next.Exists(n => Identity(n) == h.Key)).ToArray();
        (seal.Rows, seal.Tombstones, seal.NewRows).ShouldBe((changed.Length, gone.Length, next.Count - here.Length));
        foreach (var (identity, _) in here)
            _current.Remove(identity);
        foreach (var row in next)
            _current[Identity(row)] = row;
        return await PublishAsync(attempt, seal);
    }

    /// <summary>A few rows and tombstones written as they are.</summary>
    private async Task<long> PatchAsync(Window window)
    {
        var here = _current.Where(r => window.Contains(r.Value.At)).ToArray();
        var (deleted, changed) = (here.Take(2).ToArray(), here.Skip(2).Take(3).Select(r => Codec.Canonicalize(_values.WithFeatures(r.Value))).Append(Codec.Canonicalize(_values.Row(window))).DistinctBy(Identity).ToArray());
        var attempt = await begin(window);
        await using var writer = await store.OpenCommitAsync(new(Codec.Schema, CommitKind.Patch, window, attempt, "code"), default);
        var batch = new PendingRows<Edge>();
        foreach (var (identity, row) in deleted)
        {
            batch.Add(row, deleted: true);
            _current.Remove(identity);
        }
        foreach (var row in changed)
        {
            batch.Add(row, deleted: false);
            _current[Identity(row)] = row;
        }
        await writer.WriteAsync(batch, default);
        return await PublishAsync(attempt, new(writer.CommitId, Codec.Schema, window, writer.BaseSeq, changed.Length, deleted.Length, 0, 0, 0, window.From, window.To.AddMicroseconds(-1), "{}", "[]", [], []));
    }

    private Task<long> PublishAsync(AttemptRef attempt, CommitSeal seal)
    {
        _commitNumbers.Add(seal.CommitId, _commitNumbers.Count);
        _lines.Add($"commit {_commitNumbers.Count}: {seal.Rows} rows, {seal.Tombstones} tombstones, {seal.NewRows} new, {seal.MinEventTime:O} to {seal.MaxEventTime:O}, {seal.StatisticsJson}, {string.Join(' ', seal.Buckets.Select(Timestamps.Iso))}");
        return publish(attempt, seal);
    }

    private async Task ReadAsync(long seq, List<Edge> expected)
    {
        foreach (var window in Windows)
        {
            var read = new List<string>();
            await foreach (var row in new SessionFeatureReader<Edge>(new(store, seq), default).ReadAsync(window))
                read.Add(CellText.Of(row));
            read.ShouldBe(expected.Where(r => window.Contains(r.At)).Select(CellText.Of));
            _lines.Add($"read in {window}");
            _lines.AddRange(read);
        }
    }

    /// <summary>All versions: time never goes back, and versions of one row lie together.</summary>
    private void Scan(Window window)
    {
        var versions = new List<string>();
        var (last, seen, previous) = (long.MinValue, new HashSet<string>(StringComparer.Ordinal), "");
        using (var cursor = store.Scan(Codec.Schema, Codec.Schema.Columns, window))
            while (cursor.Read())
            {
                cursor.Integer(0).ShouldBeGreaterThanOrEqualTo(last);
                last = cursor.Integer(0);
                var cells = CellText.Of(cursor, Codec.Schema);
                var identity = string.Join('|', cells.Split('|').Take(1 + Codec.Schema.Keys.Count));
                (identity == previous || seen.Add(identity)).ShouldBeTrue($"versions of {identity} do not lie together");
                previous = identity;
                versions.Add($"version {_commitNumbers[cursor.CommitId]} {cursor.IsDeleted} {cells}");
            }
        versions.ShouldNotBeEmpty();
        _lines.AddRange(versions.Order(StringComparer.Ordinal));
    }

    private void Seek(Edge row)
    {
        var window = Windows.Single(w => w.Contains(row.At));
        var versions = new List<string>();
        using (var cursor = store.Seek(Codec.Schema, Codec.Schema.Columns, CellText.Keys(row), window))
            while (cursor.Read())
                versions.Add($"entity {_commitNumbers[cursor.CommitId]} {cursor.IsDeleted} {CellText.Of(cursor, Codec.Schema)}");
        versions.ShouldContain(v => v.EndsWith(CellText.Of(row), StringComparison.Ordinal));
        _lines.AddRange(versions.Order(StringComparer.Ordinal));
    }

    /// <summary>The content hash depends on every value and on the order.</summary>
    private async Task DatasetAsync()
    {
        var codec = RowCodec<EdgeOutcome>.Instance;
        var window = Windows[2];
        var outcomes = _current.Values.Where(r => window.Contains(r.At)).Select(r => codec.Canonicalize(new EdgeOutcome(r.Name, r.At.AddHours(1) < window.To ? r.At.AddHours(1) : r.At, _values.Half(), _values.Single())))
            .DistinctBy(o => (o.Name, o.At)).ToArray();
        var attempt = await begin(window);
        await using var writer = await store.OpenCommitAsync(new(codec.Schema, CommitKind.Patch, window, attempt, "code"), default);
        var batch = new PendingRows<EdgeOutcome>();
        foreach (var outcome in outcomes)
            batch.Add(outcome, deleted: false);
        await writer.WriteAsync(batch, default);
        var seq = await publish(attempt, new(writer.CommitId, codec.Schema, window, writer.BaseSeq, outcomes.Length, 0, 0, 0, 0, window.From, window.To.AddMicroseconds(-1), "{}", "[]", [], []));

        var folder = Directory.CreateTempSubdirectory("aiworkflows-");
        try
        {
            var split = TrainingSplit.At(window.To.AddDays(1), TimeSpan.FromDays(4), TimeSpan.FromDays(1), TimeSpan.FromHours(12));
            var dataset = await DatasetMaterializer.WriteAsync(MemoryStoreExtensions.View<EdgeView, EdgeExample>(), ExampleSchema<EdgeExample>.TryCreate(typeof(bool), [])!, new FeatureReadSession(store, seq), split, folder.FullName, null, default);
            dataset.Rows.ShouldBeGreaterThan(5);
            _lines.Add($"dataset {dataset.ContentHash}, {dataset.Rows} rows, {dataset.UnlabelledRows} without label, {dataset.Bytes} bytes");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static List<Edge> Sorted(IEnumerable<Edge> rows)
    {
        var sorted = rows.ToList();
        sorted.Sort(ByTimeAndKeyBytes);
        return sorted;
    }

    /// <summary>The order as it is written down, by a second way: event time, then the UTF-8 bytes of texts, the bytes of Guids, numbers.</summary>
    private static int ByTimeAndKeyBytes(Edge a, Edge b)
    {
        ReadOnlySpan<int> steps =
        [
            a.At.CompareTo(b.At), Bytes(a.Name, b.Name), a.Id.ToByteArray(bigEndian: true).AsSpan().SequenceCompareTo(b.Id.ToByteArray(bigEndian: true)), Bytes(a.Kind.ToString(), b.Kind.ToString()), a.Day.CompareTo(b.Day),
            a.Small.CompareTo(b.Small), a.Medium.CompareTo(b.Medium), a.Whole.CompareTo(b.Whole), a.Large.CompareTo(b.Large),
        ];
        foreach (var step in steps)
            if (step != 0)
                return step;
        return 0;
    }

    private static int Bytes(string a, string b) => System.Text.Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(System.Text.Encoding.UTF8.GetBytes(b));

    private static string Identity(Edge row) => string.Join('|', CellText.Of(row).Split('|').Take(1 + Codec.Schema.Keys.Count));

    private static DateTime At(int year, int month, int day) => new(year, month, day, 0, 0, 0, DateTimeKind.Utc);
}
