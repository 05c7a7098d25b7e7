using AiWorkflows.Features;
using AiWorkflows.Models;
using AiWorkflows.Training;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Tests.Training;

public sealed class DatasetTests : IDisposable
{
    private const int ManyRows = DatasetFile.BatchRows * 2 + 777;
    private static readonly ExampleSchema<TripExample> Schema = ExampleSchema<TripExample>.TryCreate(typeof(bool), [])!;
    private readonly Stage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Fact]
    public async Task The_same_examples_give_the_same_hash_however_they_arrive_and_any_other_give_another()
    {
        var trips = Trips.Make(3_000);
        var hash = (await WriteAsync(trips)).ContentHash;

        (await WriteAsync(trips, batchSize: 7)).ContentHash.ShouldBe(hash);
        (await WriteAsync(Swapped(trips, 10, 11))).ContentHash.ShouldNotBe(hash, "order matters: swapped rows change what is trained");
        (await WriteAsync(Changed(trips, 2_000, e => e with { Features = e.Features with { Gap = 0.123f } }))).ContentHash.ShouldNotBe(hash);
        (await WriteAsync(Changed(trips, 2_000, e => e with { Features = e.Features with { Origin = "XXX" } }))).ContentHash.ShouldNotBe(hash);
        (await WriteAsync(Changed(trips, 2_000, e => e with { HasLabel = true, Label = 1 - e.Label }))).ContentHash.ShouldNotBe(hash);
        (await WriteAsync(Changed(trips, 2_000, e => e with { EntityKey = "[77777]" }))).ContentHash.ShouldNotBe(hash);
        (await WriteAsync(trips[..^1])).ContentHash.ShouldNotBe(hash);
    }

    [Fact]
    public async Task Missing_text_and_empty_text_are_different_content()
    {
        var trips = Trips.Make(100);
        var missing = Changed(trips, 50, e => e with { Features = e.Features with { Origin = null } });
        var empty = Changed(trips, 50, e => e with { Features = e.Features with { Origin = "" } });
        (await WriteAsync(missing)).ContentHash.ShouldNotBe((await WriteAsync(empty)).ContentHash);
    }

    [Fact]
    public async Task Examples_without_a_label_are_left_out_and_counted()
    {
        var trips = Trips.Make(2_000);
        var dataset = await WriteAsync(trips);
        dataset.UnlabelledRows.ShouldBe(trips.Count(t => !t.HasLabel));
        dataset.Rows.ShouldBe(trips.Count(t => t.HasLabel));
        dataset.UnlabelledRows.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task The_file_is_named_by_its_content_and_nothing_else_is_left_behind()
    {
        var dataset = await WriteAsync(Trips.Make(500));
        await WriteAsync(Trips.Make(500));
        Directory.GetFiles(_stage.Folder).ShouldBe([Path.Combine(_stage.Folder, dataset.ContentHash + ".arrow")]);
    }

    [Fact]
    public async Task A_failure_while_reading_leaves_no_file()
    {
        var trips = Changed(Trips.Make(2_000), 1_999, e => e with { HasLabel = true, Features = e.Features with { Gap = float.PositiveInfinity } });
        await Should.ThrowAsync<StageFailedException>(() => WriteAsync(trips));
        Directory.GetFiles(_stage.Folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_said_plainly()
    {
        var file = Path.Combine(_stage.Folder, "occupied");
        await File.WriteAllTextAsync(file, "");
        var error = await Should.ThrowAsync<StageFailedException>(() => WriteAsync(Trips.Make(10), directory: Path.Combine(file, "datasets")));
        error.Message.ShouldContain("AiWorkflows:DataDirectory");
    }

    [Fact]
    public async Task Any_Arrow_reader_finds_names_types_nulls_and_values()
    {
        var trips = Trips.Make(1_000);
        var labelled = trips.Where(t => t.HasLabel).ToArray();
        var dataset = await WriteAsync(trips);
        using var stream = File.OpenRead(dataset.Path);
        using var reader = new ArrowFileReader(stream);
        using var batch = await reader.ReadNextRecordBatchAsync();

        batch.Schema.FieldsList.Select(f => f.Name).ShouldBe(["Hour", "Distance", "Gap", "Holiday", "Origin", "Weather", "Load", "label", "event_time", "entity_key"]);
        batch.Length.ShouldBe(labelled.Length);
        for (var i = 0; i < labelled.Length; i++)
        {
            ((FloatArray)batch.Column("Gap")).GetValue(i).ShouldBe(labelled[i].Features.Gap);
            ((StringArray)batch.Column("Origin")).GetString(i).ShouldBe(labelled[i].Features.Origin);
            ((StringArray)batch.Column("Weather")).GetString(i).ShouldBe(labelled[i].Features.Weather?.ToString());
            ((BooleanArray)batch.Column("label")).GetValue(i).ShouldBe(labelled[i].Label > 0.5);
            ((TimestampArray)batch.Column("event_time")).GetTimestamp(i)!.Value.UtcDateTime.ShouldBe(labelled[i].EventTime);
            ((StringArray)batch.Column("entity_key")).GetString(i).ShouldBe(labelled[i].EntityKey);
            batch.Column("Load").IsNull(i).ShouldBe(labelled[i].Features.Load is null);
        }
    }

    [Theory]
    [InlineData(0, ManyRows, true)]
    [InlineData(0, ManyRows, false)]
    [InlineData(5, 6, true)]
    [InlineData(DatasetFile.BatchRows - 1, DatasetFile.BatchRows + 1, true)]
    [InlineData(DatasetFile.BatchRows - 1, DatasetFile.BatchRows + 1, false)]
    [InlineData(DatasetFile.BatchRows, ManyRows, true)]
    [InlineData(ManyRows, ManyRows, true)]
    public async Task A_view_gives_exactly_its_range_of_rows_as_often_as_it_is_asked_mapped_or_streamed(int from, int to, bool mapped)
    {
        var trips = Trips.Make(ManyRows).Select(t => t with { HasLabel = true }).ToList();
        using var file = new DatasetFile((await WriteAsync(trips)).Path, mapped ? int.MaxValue : 0);
        file.Rows.ShouldBe(ManyRows);
        var view = new DatasetView(file, Schema, from, to, default);

        for (var pass = 0; pass < 2; pass++)
        {
            using var cursor = view.GetRowCursor(view.Schema);
            var hour = cursor.GetGetter<float>(view.Schema["Hour"]);
            var gap = cursor.GetGetter<float>(view.Schema["Gap"]);
            var origin = cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["Origin"]);
            var load = cursor.GetGetter<VBuffer<float>>(view.Schema["Load"]);
            var label = cursor.GetGetter<bool>(view.Schema["Label"]);
            var (h, g, o, l, y) = (0f, 0f, default(ReadOnlyMemory<char>), default(VBuffer<float>), false);
            for (var row = from; row < to; row++)
            {
                cursor.MoveNext().ShouldBeTrue();
                cursor.Position.ShouldBe(row - from, "ML.NET answers from its cache as long as the position stands");
                hour(ref h);
                gap(ref g);
                origin(ref o);
                load(ref l);
                label(ref y);
                var expected = trips[row];
                if (h != expected.Features.Hour || !g.Equals(expected.Features.Gap ?? float.NaN) || o.ToString() != (expected.Features.Origin ?? "") || y != expected.Label > 0.5
                    || !l.DenseValues().SequenceEqual(expected.Features.Load ?? [float.NaN, float.NaN, float.NaN]))
                    Assert.Fail($"row {row} differs");
            }
            cursor.MoveNext().ShouldBeFalse();
        }
    }

    [Fact]
    public async Task Rows_before_a_time_are_counted_as_brute_force_counts_them()
    {
        var trips = Trips.Make(ManyRows).Select((t, i) => t with { HasLabel = true, EventTime = Trips.Start.AddMinutes(i / 3) }).ToList();
        using var file = new DatasetFile((await WriteAsync(trips)).Path);
        var random = new Random(1);
        for (var i = 0; i < 200; i++)
        {
            var time = Trips.Start.AddSeconds(random.Next(-100, ManyRows * 20 + 100));
            file.RowsBefore(time).ShouldBe(trips.Count(t => t.EventTime < time));
        }
    }

    [Fact]
    public async Task Statistics_count_every_value_once()
    {
        var trips = Trips.Make(5_000).Select(t => t with { HasLabel = true }).ToList();
        using var file = new DatasetFile((await WriteAsync(trips)).Path);
        var columns = System.Text.Json.JsonDocument.Parse(DatasetStatistics.ToJson(file, Schema)).RootElement.GetProperty("columns");

        var gaps = trips.Where(t => t.Features.Gap is not null).Select(t => (double)t.Features.Gap!.Value).ToArray();
        var gap = columns.GetProperty("Gap");
        gap.GetProperty("count").GetInt64().ShouldBe(gaps.Length);
        gap.GetProperty("missing").GetInt64().ShouldBe(trips.Count - gaps.Length);
        gap.GetProperty("mean").GetDouble().ShouldBe(gaps.Average(), 1e-9);
        gap.GetProperty("min").GetDouble().ShouldBe(gaps.Min(), 1e-6);
        gap.GetProperty("bins").EnumerateArray().Sum(b => b.GetInt64()).ShouldBe(gaps.Length);
        gap.GetProperty("bins").GetArrayLength().ShouldBe(gap.GetProperty("edges").GetArrayLength() + 1);
        gap.GetProperty("bins").EnumerateArray().Max(b => b.GetInt64()).ShouldBeLessThan(gaps.Length / 10, "edges are quantiles");
        columns.GetProperty("Origin").GetProperty("distinct").GetInt32().ShouldBe(4);
        columns.GetProperty("label").GetProperty("positive").GetInt64().ShouldBe(trips.Count(t => t.Label > 0.5));
    }

    private Task<MaterializedDataset> WriteAsync(IReadOnlyList<Example<TripExample>> trips, int batchSize = 1_000, string? directory = null)
    {
        var view = new ListView<TripExample>(trips, typeof(bool), Trips.Within) { BatchSize = batchSize };
        var cutOff = Trips.Start.AddMinutes(10 * ManyRows) + TimeSpan.FromDays(1);
        return DatasetMaterializer.WriteAsync(view, Schema, Stage.Session(), TrainingSplit.At(cutOff, cutOff - Trips.Start, TimeSpan.FromDays(1), Trips.Within), directory ?? _stage.Folder, null, default);
    }

    private static List<Example<TripExample>> Swapped(List<Example<TripExample>> trips, int a, int b)
    {
        var (time, copy) = (trips[a].EventTime, trips.ToList());
        (copy[a], copy[b]) = (trips[b] with { EventTime = time, HasLabel = true }, trips[a] with { EventTime = trips[b].EventTime, HasLabel = true });
        return copy;
    }

    private static List<Example<TripExample>> Changed(List<Example<TripExample>> trips, int row, Func<Example<TripExample>, Example<TripExample>> change)
    {
        var copy = trips.ToList();
        copy[row] = change(copy[row]);
        return copy;
    }
}
