using System.Globalization;
using AiWorkflows.Features;
using AiWorkflows.Hosting.Dashboard.Charts;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Features;

/// <summary>The schema with what the newest commit counted, and how the share of missing values went over commits.</summary>
internal static class ColumnTable
{
    public static Markup Render(FeatureGroupModel model) => Table.Of("Columns", "",
        [Table.Heading("Column"), Table.Heading("Type"), Table.NumberHeading("Missing"), Table.Heading("over commits"), Table.NumberHeading("Least"), Table.NumberHeading("Mean"), Table.NumberHeading("Greatest"), Table.Heading("Distribution")],
        model.Columns.Select(column => Row(column, model)));

    private static Markup Row(StoredColumn column, FeatureGroupModel model)
    {
        var newest = model.Statistics.Count == 0 ? null : model.Statistics[0].Columns.GetValueOrDefault(column.Name);
        return Table.Row(
            Mono(Format.Shorten(column.Name, 60)) + Markup.When(column.Role != ColumnRole.Feature, Markup.Of($" {Tag(column.Role == ColumnRole.Key ? "key" : "event time")}")) + (column.Description is { Length: > 0 } about ? Note(Markup.Text(about)) : Markup.Empty),
            Table.Cell(Markup.Of($"<span class=\"aw-nowrap\">{TypeOf(column)}</span>{Markup.When(column.Nullable, Note(Markup.Raw("may be missing")))}")),
            Table.Number(newest is null ? "" : Share(newest.NullRate)), Table.Cell(Course(column.Name, model)), Table.Number(newest?.Least), Table.Number(newest?.Mean is { } mean ? Format.Number(mean, "#,0.###") : ""), Table.Number(newest?.Greatest),
            Table.Cell(newest is null ? Markup.Empty : newest.Histogram.Count > 0 ? MiniHistogram.Render(newest.Histogram, $"{column.Name}: distribution over {newest.Histogram.Count} bins")
                : Markup.Of($"<span class=\"aw-muted aw-small\">{Format.Shorten(newest.Top, 60)}</span>")));
    }

    /// <summary>A bar a commit, oldest first; nothing where nothing was ever missing.</summary>
    private static Markup Course(string column, FeatureGroupModel model)
    {
        double[] rates = [.. model.Statistics.Reverse().Select(commit => commit.Columns.GetValueOrDefault(column)?.NullRate ?? 0)];
        return rates.Length < 2 || rates.Max() == 0 ? Markup.Empty
            : MiniHistogram.Render(rates, $"{column}: missing in {Share(rates.Min())} to {Share(rates.Max())} over {rates.Length.ToString(CultureInfo.InvariantCulture)} commits, now {Share(rates[^1])}");
    }

    private static string TypeOf(StoredColumn column) => column.Type switch
    {
        ColumnType.Decimal => string.Create(CultureInfo.InvariantCulture, $"decimal({column.Precision},{column.Scale})"),
        _ when column.MaxLength > 0 => string.Create(CultureInfo.InvariantCulture, $"{column.Type.ToString().ToLowerInvariant()}({column.MaxLength})"),
        _ => column.Type.ToString().ToLowerInvariant(),
    };

    private static string Share(double rate) => Format.Number(rate * 100, "0.##") + "%";
}
