using System.Diagnostics;
using System.Globalization;
using AiWorkflows.Benchmarks.Application;
using AiWorkflows.Models;
using AiWorkflows.Training;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Benchmarks.Models;

/// <summary>
/// Training and batch inference of the reference application (LightGBM, one thread), from the store on disk, beside ML.NET alone on the same examples, which it has in memory already:
/// <c>Fit</c> without a read, <c>Transform</c> without a join, a decision, or a row that is written.
/// </summary>
internal static class ModelBenchmark
{
    private const string Prepare = "models-prepare";
    private const string Train = "models-train";
    private const string TrainPeer = "models-fit";
    private const string Score = "models-score";
    private const string ScorePeer = "models-transform";

    private static readonly DateTime CutOff = new(2001, 6, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>What the reference application trains on; the holdout, which only its evaluation reads, is left out on both sides.</summary>
    private static readonly TrainingSplit Split = All(TrainingSplit.At(CutOff, TimeSpan.FromDays(151), TimeSpan.FromDays(30), TimeSpan.FromHours(36)).Training);

    private static readonly Window Scored = new(CutOff, CutOff.AddDays(30));

    /// <summary>What each side does first, so that no compilation is measured.</summary>
    private static readonly Window First = new(Scored.To, Scored.To.AddDays(1));

    /// <param name="directory">Where a run of the reference application is, or is made.</param>
    public static async Task<IReadOnlyList<Aim>> RunAsync(int rounds, string directory, CancellationToken ct)
    {
        await Measurement.InOwnProcessAsync(ct, Prepare, directory);
        var sides = new[] { Train, TrainPeer, Score, ScorePeer }.ToDictionary(side => side, _ => new List<Measurement>());
        for (var round = 0; round < rounds; round++)
            foreach (var (side, measured) in sides)
                measured.Add(await Measurement.InOwnProcessAsync(ct, side, directory));
        Report.Rounds("Training, LightGBM on one thread", [("store to fitted model", sides[Train]), ("ML.NET Fit, examples in memory", sides[TrainPeer])]);
        Report.Rounds("Batch inference", [("store to published prediction log", sides[Score]), ("ML.NET Transform, examples in memory", sides[ScorePeer])]);
        return
        [
            new("training: our time from the store over ML.NET's from memory", Median(sides[Train]) / Median(sides[TrainPeer]), "<=", 1.2),
            new("batch inference: our rows per second over a bare Transform's", Median(sides[ScorePeer]) / Median(sides[Score]), ">=", 0.6),
        ];
    }

    /// <summary>A round or the preparation, in the child process.</summary>
    public static async Task<bool> TryRunChildAsync(string[] args, CancellationToken ct)
    {
        if (args is not [Prepare or Train or TrainPeer or Score or ScorePeer, var directory])
            return false;
        var run = new ReferenceRun(directory);
        var work = Directory.CreateDirectory(Path.Combine(directory, "models")).FullName;
        if (args[0] == Prepare)
        {
            await run.EnsureAsync(ct);
            await using var store = await ReferenceStore.OpenAsync(run.Database, ct);
            foreach (var (name, split) in new[] { (Train, Split), (Score, All(Scored)) })
                File.Move((await store.MaterializeAsync(split, work, ct)).Path, Path.Combine(work, name + ".arrow"), overwrite: true);
            new Measurement(0, 0, 0, 0).Print();
            return true;
        }
        // What is published must not be there in the next round.
        var database = args[0] == Score ? Path.Combine(work, "scored.db") : run.Database;
        if (args[0] == Score)
            run.CopyTo(database);
        try
        {
            await using var store = await ReferenceStore.OpenAsync(database, ct);
            using var memory = new PeakMemory();
            var (seconds, rows) = args[0] switch
            {
                Train => await TrainAsync(store, work, ct),
                TrainPeer => Fit(store, Path.Combine(work, Train + ".arrow"), ct),
                Score => await ScoreAsync(store, ct),
                _ => await TransformAsync(store, Path.Combine(work, Score + ".arrow"), ct),
            };
            new Measurement(seconds, memory.OwnBytes, PeakMemory.ResidentBytes, rows).Print();
        }
        finally
        {
            if (args[0] == Score)
                ReferenceRun.Delete(database);
        }
        return true;
    }

    private static async Task<(double Seconds, long Rows)> TrainAsync(ReferenceStore store, string work, CancellationToken ct)
    {
        DatasetMaterializer.Delete((await store.TrainAsync(All(First), work, ct)).Path);
        var watch = Stopwatch.StartNew();
        var dataset = await store.TrainAsync(Split, work, ct);
        var seconds = watch.Elapsed.TotalSeconds;
        DatasetMaterializer.Delete(dataset.Path);
        return (seconds, dataset.Rows);
    }

    private static (double Seconds, long Rows) Fit(ReferenceStore store, string file, CancellationToken ct)
    {
        using var dataset = new DatasetFile(file);
        store.Fit(InMemory(new DatasetView(dataset, store.Schema, 0, 5_000, ct)));
        var examples = InMemory(new DatasetView(dataset, store.Schema, 0, dataset.Rows, ct));
        var watch = Stopwatch.StartNew();
        store.Fit(examples);
        return (watch.Elapsed.TotalSeconds, dataset.Rows);
    }

    private static async Task<(double Seconds, long Rows)> ScoreAsync(ReferenceStore store, CancellationToken ct)
    {
        await store.ScoreAsync(First, ct);
        var watch = Stopwatch.StartNew();
        var rows = await store.ScoreAsync(Scored, ct);
        return (watch.Elapsed.TotalSeconds, rows);
    }

    private static async Task<(double Seconds, long Rows)> TransformAsync(ReferenceStore store, string file, CancellationToken ct)
    {
        using var dataset = new DatasetFile(file);
        var champion = await store.Registry.FindAliasAsync("flight-delay", "champion", ct);
        var version = await store.Registry.FindVersionAsync("flight-delay", champion!.Version, ct);
        var model = ModelArchive.Load(await store.Registry.ReadArtifactAsync(version!.ArtifactSha256, ct), "flight-delay");
        Transform(model, InMemory(new DatasetView(dataset, store.Schema, 0, 5_000, ct)));
        var examples = InMemory(new DatasetView(dataset, store.Schema, 0, dataset.Rows, ct));
        var watch = Stopwatch.StartNew();
        Transform(model, examples);
        return (watch.Elapsed.TotalSeconds, dataset.Rows);
    }

    private static void Transform(ITransformer model, IDataView examples)
    {
        var scored = model.Transform(examples);
        var (score, probability) = (scored.Schema["Score"], scored.Schema["Probability"]);
        using var cursor = scored.GetRowCursor([score, probability]);
        var (readScore, readProbability) = (cursor.GetGetter<float>(score), cursor.GetGetter<float>(probability));
        float value = 0, sum = 0;
        while (cursor.MoveNext())
        {
            readScore(ref value);
            sum += value;
            readProbability(ref value);
            sum += value;
        }
        if (float.IsNaN(sum))
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"The scores add up to {sum}."));
    }

    /// <summary>All columns in ML.NET's own cache, filled.</summary>
    private static IDataView InMemory(IDataView rows)
    {
        var cached = new MLContext().Data.Cache(rows);
        using var cursor = cached.GetRowCursor(cached.Schema);
        while (cursor.MoveNext()) { }
        return cached;
    }

    /// <summary>The labelled examples of a window, all of them to train on.</summary>
    private static TrainingSplit All(Window window) => new(CutOff.AddDays(60), window, window, new(window.To, window.To));

    private static double Median(IEnumerable<Measurement> rounds) => Measurement.Median(rounds.Select(r => r.Seconds));
}
