using System.IO.Compression;
using System.Text;
using AiWorkflows.Models;
using AiWorkflows.Tests.Training;
using AiWorkflows.Training;
using Microsoft.ML;

namespace AiWorkflows.Tests.Models;

public sealed class ModelArchiveTests
{
    [Fact]
    public void Equal_entries_make_equal_files_whatever_their_order_time_or_compression()
    {
        var one = ModelArchive.Normalize(Zip(2020, CompressionLevel.Optimal, ("a", "first"), ("b", "second")));
        var other = ModelArchive.Normalize(Zip(2024, CompressionLevel.NoCompression, ("b", "second"), ("a", "first")));
        other.Bytes.ShouldBe(one.Bytes);
        other.Sha256.ShouldBe(one.Sha256);
        other.ContentSha256.ShouldBe(one.ContentSha256);
    }

    [Fact]
    public void Another_name_another_content_or_a_moved_boundary_is_another_model()
    {
        string[] hashes = [
            Hash(("a", "first"), ("b", "second")), Hash(("a", "first"), ("c", "second")), Hash(("a", "first"), ("b", "Second")),
            Hash(("a", "firstb"), ("bsecond", "")), Hash(("a", "first")), Hash(("a", "first"), ("b", "second"), ("c", ""))];
        hashes.Distinct().Count().ShouldBe(hashes.Length);

        static string Hash(params (string, string)[] entries) => ModelArchive.Normalize(Zip(2020, CompressionLevel.Optimal, entries)).ContentSha256;
    }

    [Fact]
    public void What_is_no_model_is_refused_in_words() =>
        Should.Throw<StageFailedException>(() => ModelArchive.Load(Encoding.UTF8.GetBytes("not a model"), "trip v1")).Message.ShouldStartWith("Model trip v1 cannot be loaded");

    [Fact]
    public async Task A_saved_model_scores_row_by_row_as_it_does_over_a_whole_view_to_the_bit()
    {
        using var stage = new Stage();
        var trips = Trips.Make(TripDefinitions.Rows);
        var result = await TripDefinitions.Training<TripTraining>(TripDefinitions.View(trips), stage)
            .ExecuteAsync(stage.Context(TripDefinitions.CutOff, TripDefinitions.CutOff.AddDays(1)), stage.Stores, default);
        var schema = ExampleSchema<TripExample>.TryCreate(typeof(bool), [])!;
        var model = ModelArchive.Load(result.Model.Artifact!, "trip");
        using var file = new DatasetFile(Path.Combine(stage.Folder, result.Dataset.FileName));
        var scored = model.Transform(new DatasetView(file, schema, 0, file.Rows, default));
        using var cursor = scored.GetRowCursor([scored.Schema["Score"], scored.Schema["Probability"]]);
        var (score, probability) = (cursor.GetGetter<float>(scored.Schema["Score"]), cursor.GetGetter<float>(scored.Schema["Probability"]));
        using var scorer = new ModelScorer<TripExample>(model, schema, ModelTask.Binary, "trip");

        var (s, p, rows) = (0f, 0f, 0);
        foreach (var trip in trips.Where(t => t.HasLabel && t.LabelKnownAt < TripDefinitions.CutOff && result.Dataset.Window.Contains(t.EventTime)))
        {
            cursor.MoveNext().ShouldBeTrue();
            score(ref s);
            probability(ref p);
            scorer.Score(trip.Features).ShouldBe(new Score(s, p));
            rows++;
        }
        rows.ShouldBe((int)file.Rows);
    }

    private static MemoryStream Zip(int year, CompressionLevel level, params (string Name, string Content)[] entries)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content) in entries)
            {
                var entry = zip.CreateEntry(name, level);
                entry.LastWriteTime = new(year, 5, 5, 0, 0, 0, TimeSpan.Zero);
                using var writer = new StreamWriter(entry.Open());
                writer.Write(content);
            }
        stream.Position = 0;
        return stream;
    }
}
