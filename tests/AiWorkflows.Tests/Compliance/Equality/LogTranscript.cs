using System.Text.Json;
using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance.Equality;

/// <summary>Writes random predictions, outcomes, datasets, models and log lines, holds what is read against them, and writes it down.</summary>
internal sealed class LogTranscript(TestStore store, int seed)
{
    private readonly EdgeValues _values = new(seed);
    private readonly List<string> _lines = [];

    public async Task<IReadOnlyList<string>> PlayAsync()
    {
        await PredictionsAsync();
        for (var i = 0; i < 4; i++)
            await ModelAsync(i);
        await LogsAsync();
        return _lines;
    }

    private async Task PredictionsAsync()
    {
        var keys = Enumerable.Range(0, 40).Select(i => JsonSerializer.Serialize(new object[] { _values.Name(), i })).ToArray();
        var rows = keys.Select(k => new PredictionRow(k, _values.Within(Readings.Day), Number(), Number(), _values.MaybeNull(_values.Label), JsonSerializer.Serialize(new { text = _values.Text(), big = _values.Long() }), _values.Long())).ToArray();
        var attempt = await store.AttemptAsync(Readings.Day, Predictions.Pipeline);
        var request = new BatchRequest(Predictions.Pipeline, "champion", "m", 1, "v", 1, Readings.Day, 0, false, _values.Time(), attempt, _values.Name());
        await using var writer = await store.Predictions.OpenBatchAsync(request, default);
        await writer.WriteAsync(rows, default);
        await store.Ledger.WinAsync(new(attempt) { Batch = new(writer.BatchId, request, rows.Length, "hash", "[]", _values.Double(), [], []) }, default);
        for (var i = 0; i < rows.Length; i++)
        {
            var found = (await store.Predictions.FindAsync((writer.BatchId << 32) + i, default))!;
            Written(found.Row).ShouldBe(Written(rows[i]));
            found.Batch.PredictedAt.ShouldBe(request.PredictedAt.AddTicks(-(request.PredictedAt.Ticks % 10)));
            found.Batch.CodeVersion.ShouldBe(request.CodeVersion);
            _lines.Add(Written(found.Row));
        }

        // A text that differs by nothing but its last spaces is another text.
        var outcomes = rows.Select(r => new OutcomeRow(r.EntityKey, r.EventTime, _values.Random.Next(100), _values.MaybeNull(_values.Name), _values.Time())).ToArray();
        (await store.Predictions.UpsertOutcomesAsync("v", outcomes, 1, default)).ShouldBe(outcomes.Length);
        (await store.Predictions.UpsertOutcomesAsync("v", outcomes, 2, default)).ShouldBe(0);
        var corrected = outcomes.Select((o, i) => (i % 5) switch
        {
            0 => o with { ActualText = (o.ActualText ?? "") + " " },
            1 => o with { Actual = o.Actual + double.Epsilon },
            2 => o with { ActualText = o.ActualText is null ? "" : null },
            3 => o with { ActualAt = o.ActualAt.AddTicks(o.ActualAt.Year > 5000 ? -10 : 10) },
            _ => o,
        }).ToArray();
        var changed = outcomes.Zip(corrected).Count(p => p.First != p.Second);
        (await store.Predictions.UpsertOutcomesAsync("v", corrected, 3, default)).ShouldBe(changed);
        _lines.Add($"{changed} outcomes corrected");
        var scored = new List<string>();
        await foreach (var row in store.Predictions.ScoredAsync(Predictions.Pipeline, Readings.Day, default))
            scored.Add(FormattableString.Invariant($"{row.EventTime:O} {Bits(row.Score)} {Bits(row.Probability)} {Quoted(row.Label)} {Bits(row.Actual)} {Quoted(row.ActualText)}"));
        scored.Order(StringComparer.Ordinal).ShouldBe(rows.Zip(corrected).Select(p => FormattableString.Invariant(
            $"{p.First.EventTime:O} {Bits(p.First.Score)} {Bits(p.First.Probability)} {Quoted(p.First.Label)} {Bits(p.Second.Actual)} {Quoted(p.Second.ActualText)}")).Order(StringComparer.Ordinal));
        _lines.AddRange(scored.Order(StringComparer.Ordinal));
    }

    private async Task ModelAsync(int number)
    {
        var window = new Window(_values.Pick([Readings.Start, DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc)]), Readings.At(24).AddMicroseconds(_values.Random.Next(9)));
        var dataset = new DatasetRecord
        {
            View = "v", ViewVersion = 1, ViewFingerprint = _values.Name(), Window = window, CutOff = window.To, Within = TimeSpan.FromMicroseconds(_values.Random.NextInt64(1L << 40)), AsOfSeq = 0, Rows = _values.Long(),
            UnlabelledRows = _values.Long(), ContentHash = _values.Name(), FileName = _values.Name(), FileBytes = _values.Long(), StatisticsJson = Json(), CodeVersion = _values.Name(),
            Inputs = [.. Enumerable.Range(0, number * 3).Select(i => new FeatureInput($"g{i:00}", i, _values.Long(), window))], Commits = [.. Enumerable.Range(1, number * 700)],
        };
        var artifact = new byte[number * 20_000];
        _values.Random.NextBytes(artifact);
        var model = new ModelVersionRecord
        {
            Model = "m", Pipeline = "training", Task = "binary", Description = _values.Text(), Trainer = _values.Name(), ParametersJson = Json(), Seed = _values.Int(), View = "v", ViewVersion = 1, ViewFingerprint = _values.Name(),
            CutOff = window.To, Training = window, Holdout = window, TrainingRows = _values.Long(), HoldoutRows = _values.Long(), Refit = _values.Half(), MetricsJson = Json(), BaselineMetricsJson = Json(),
            ChampionMetricsJson = _values.MaybeNull(Json), PrimaryMetric = "auc", PrimaryValue = Number() ?? 0, BaselineValue = Number() ?? 0, SignatureJson = Json(), FeatureImportanceJson = Json(), ArtifactSha256 = $"sha {seed} {number}",
            Artifact = artifact, ContentSha256 = _values.Name(), Reproducible = _values.Half(), Reason = _values.MaybeNull(_values.Text), Promotion = "none", CodeVersion = _values.Name(),
        };
        var attempt = await store.AttemptAsync(Readings.Day, "training");
        var won = await store.Ledger.WinAsync(new(attempt) { Dataset = dataset, Model = model, Alias = new("m", _values.Pick(["champion", "Champion", "châmpion"]), 0, _values.Name(), _values.Text()) }, default);
        var version = (await store.Registry.FindVersionAsync("m", won.ModelVersion!.Value, default))!;
        version.ShouldBe(model with { Version = number + 1, DatasetId = won.DatasetId!.Value, Artifact = null, RunId = attempt.RunId, CreatedAt = version.CreatedAt });
        BitConverter.DoubleToInt64Bits(version.PrimaryValue).ShouldBe(BitConverter.DoubleToInt64Bits(model.PrimaryValue));
        var read = (await store.Registry.FindDatasetAsync(won.DatasetId.Value, default))!;
        read.Inputs.ShouldBe(dataset.Inputs);
        read.Commits.ShouldBe(dataset.Commits);
        (read with { Inputs = dataset.Inputs, Commits = dataset.Commits, DatasetId = 0 }).ShouldBe(dataset);
        (await store.Registry.ReadArtifactAsync(model.ArtifactSha256, default)).ShouldBe(artifact);
        _lines.Add(JsonSerializer.Serialize(version with { CreatedAt = default, RunId = 0, DatasetId = 0 }));
        _lines.Add(JsonSerializer.Serialize(read with { DatasetId = 0 }));
        foreach (var alias in (string[])["champion", "Champion", "châmpion"])
            _lines.Add($"{alias}: {(await store.Registry.FindAliasAsync("m", alias, default)) is { } set} {(await store.Registry.FindAliasAsync("m", alias, default))?.Version} {await store.Registry.PreviousVersionAsync("m", alias, default)}");
    }

    private async Task LogsAsync()
    {
        var messages = Enumerable.Range(0, 30).Select(_ => _values.Text()).ToArray();
        await store.Ledger.LogAsync([.. messages.Select(m => new StageLogLine(0, 77, null, null, default, "info", m))], default);
        var read = (await store.Ledger.LogsAsync(77, 0, 100, default)).Select(l => l.Message).ToArray();
        read.ShouldBe(messages);
        _lines.AddRange(read.Select(Quoted));
        // Keys of requests that a collation for people would take for one another.
        var keys = Enumerable.Range(0, 60).Select(_ => _values.Name()).Append("a").Append("A").Append("á").Append("a\u0301").ToArray();
        await store.Ledger.RegisterWorkflowsAsync([("w", 1000, OverlapPolicy.Queue)], default);
        var created = 0;
        foreach (var key in keys)
            created += (await store.Ledger.RequestAsync(new("w", Readings.Day, "ada", "manual", DedupKey: key), default)).Created ? 1 : 0;
        created.ShouldBe(keys.Distinct(StringComparer.Ordinal).Count());
        _lines.Add($"{created} runs");
    }

    /// <summary>As the log keeps it: the server has no NaN.</summary>
    private double? Number() => _values.Double() is var value && double.IsNaN(value) ? null : value + 0d;

    private string Json() => JsonSerializer.Serialize(new { text = _values.Text(), number = Number(), none = (string?)null });

    private static string Written(PredictionRow row) => FormattableString.Invariant(
        $"{Quoted(row.EntityKey)} {row.EventTime:O} {Bits(row.Score)} {Bits(row.Probability)} {Quoted(row.Label)} {Quoted(row.Output)} {row.FeatureHash}");

    private static string Bits(double? value) => value is { } v ? FormattableString.Invariant($"{BitConverter.DoubleToInt64Bits(v):x16}") : "null";

    private static string Quoted(string? text) => text is null ? "null" : JsonSerializer.Serialize(text);
}
