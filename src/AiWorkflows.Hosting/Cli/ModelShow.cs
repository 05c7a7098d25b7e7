using System.Text.Json;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>models show NAME [VERSION]</c></summary>
internal static class ModelShow
{
    public static async Task RunAsync(Invocation i, string model, string? version)
    {
        if (version is null)
            await OverviewAsync(i, model);
        else
            await VersionAsync(i, model, await ModelCommands.RequireVersionAsync(i.Context, model, version, i.Ct));
    }

    private static async Task OverviewAsync(Invocation i, string model)
    {
        await ModelCommands.RequireModelAsync(i.Context, model, i.Ct);
        var queries = i.Context.Query<ModelQueries>();
        var versions = await queries.VersionsAsync(model, null, 20, i.Ct);
        var history = await queries.HistoryAsync(model, 20, i.Ct);
        i.Output.Object(new { Model = model, Versions = versions, AliasHistory = history }, () =>
        {
            i.Output.Table(versions,
                new("version", v => $"{v.Version}", Right: true), new("aliases", v => v.Aliases), new("metric", v => v.PrimaryMetric), new("value", v => Format.Metric(v.PrimaryValue), Right: true),
                new("baseline", v => Format.Metric(v.BaselineValue), Right: true), new("cut-off", v => Format.Time(v.CutOff)), new("trained on", v => Format.Count(v.TrainingRows), Right: true),
                new("holdout", v => Format.Count(v.HoldoutRows), Right: true), new("registered", v => Format.Moment(v.CreatedAt)), new("run", v => $"{v.RunId}", Right: true));
            i.Output.Heading("Aliases, newest change first");
            i.Output.Table(history,
                new("when", h => Format.Moment(h.ChangedAt)), new("alias", h => h.Alias), new("version", h => $"v{h.Version}"), new("before", h => h.PreviousVersion is { } p ? $"v{p}" : "none"),
                new("who", h => h.ChangedBy), new("why", h => h.Reason));
        });
    }

    private static async Task VersionAsync(Invocation i, string model, int version)
    {
        var v = (await i.Context.Query<ModelQueries>().FindAsync(model, version, i.Ct))!;
        i.Output.Object(v, () =>
        {
            i.Output.Fields(
                ("model", $"{v.Model} v{v.Version}{(v.Aliases is { Length: > 0 } a ? $" ({a})" : "")}"),
                ("trainer", $"{v.Trainer}, {v.Task}, by pipeline {v.Pipeline}"),
                ("cut-off", Format.Time(v.CutOff)),
                ("trained on", $"{Format.Count(v.TrainingRows, "example")} of {Format.Window(v.TrainingFrom, v.TrainingTo)}"),
                ("holdout", $"{Format.Count(v.HoldoutRows, "example")} of {Format.Window(v.HoldoutFrom, v.HoldoutTo)}{(v.Refit ? "; refitted on all afterwards, the metrics are those of the holdout" : "")}"),
                (v.PrimaryMetric, Metrics.Line(v)),
                ("promotion", v.Promotion),
                ("view", $"{v.View} v{v.ViewVersion}"),
                ("dataset", $"{v.DatasetId}, as of sequence {v.DatasetAsOfSeq}, content {v.DatasetContentHash}{(v.DatasetFile is { } file ? $", {file}" : "")}"),
                ("parameters", Format.OneLine(v.Parameters.Text, 300)),
                ("seed", v.Seed is { } seed ? $"{seed}" : "none"),
                ("content", v.ContentSha256),
                ("reproducible", v.Reproducible ? $"yes; `models reproduce {v.Model} {v.Version}` proves it" : $"no: {v.Reason}"),
                ("run", $"{v.RunId}, code {v.CodeVersion}"));
            Section(i.Output, "Metrics on the holdout", Metrics.Numbers(v.Metrics.Parse()));
            if (v.FeatureImportance is { } importance)
                Section(i.Output, "Feature importance (share of gain)", Metrics.Numbers(importance.Parse()).OrderByDescending(m => m.Value).ToList(), Format.Share);
        });
    }

    private static void Section(Output output, string heading, IReadOnlyList<(string Name, double Value)> values, Func<double?, string>? format = null)
    {
        if (values.Count == 0)
            return;
        output.Heading(heading);
        output.Fields([.. values.Select(m => (m.Name, (string?)(m.Value == Math.Floor(m.Value) && m.Value >= 1000 ? Format.Count((long)m.Value) : (format ?? Format.Metric)(m.Value))))]);
    }
}

/// <summary>Metrics as the registry keeps them: JSON objects whose numbers people want to see.</summary>
internal static class Metrics
{
    /// <summary>"0.770; prior 0.500, route and hour 0.712".</summary>
    public static string Line(VersionDetail version)
    {
        var baselines = Baselines(version);
        return Format.Metric(version.PrimaryValue) + (baselines.Count == 0 ? $"; baseline {Format.Metric(version.BaselineValue)}" : "; " + string.Join(", ", baselines.Select(b => $"{b.Name} {Format.Metric(b.Value)}")));
    }

    /// <summary>The primary metric of each baseline.</summary>
    public static IReadOnlyList<(string Name, double? Value)> Baselines(VersionDetail version)
    {
        var json = version.BaselineMetrics.Parse();
        return json.ValueKind != JsonValueKind.Object ? []
            : [.. json.EnumerateObject().Select(b => (b.Name, Numbers(b.Value).Where(n => Same(n.Name, version.PrimaryMetric)).Select(n => (double?)n.Value).FirstOrDefault()))];
    }

    /// <summary>The members of an object that are numbers, in its order.</summary>
    public static IReadOnlyList<(string Name, double Value)> Numbers(JsonElement json) =>
        json.ValueKind != JsonValueKind.Object ? [] : [.. json.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Number).Select(p => (p.Name, p.Value.GetDouble()))];

    private static bool Same(string a, string b) => a.Replace("_", "", StringComparison.Ordinal).Equals(b.Replace("_", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);
}
