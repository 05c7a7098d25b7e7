using System.Text.Json;
using Spectre.Console;

namespace AiWorkflows.Hosting.Cli;

/// <summary>A column of a table.</summary>
internal sealed record Column<T>(string Header, Func<T, string?> Text, bool Right = false);

/// <summary>What a command has to say: tables on a terminal, aligned lines when piped, or JSON and nothing else.</summary>
internal sealed class Output(ICliConsole console, bool json)
{
    public bool IsJson => json;

    public ICliConsole Console => console;

    /// <summary>A list: as JSON the rows themselves, otherwise a table of the columns.</summary>
    /// <param name="empty">What to say where there is nothing.</param>
    public void List<T>(IReadOnlyCollection<T> rows, string empty, params ReadOnlySpan<Column<T>> columns)
    {
        if (json)
            Json(rows);
        else if (rows.Count == 0)
            console.Out.WriteLine(empty);
        else
            Table(rows, columns);
    }

    /// <summary>One thing: as JSON the object itself, otherwise whatever <paramref name="people"/> writes.</summary>
    public void Object(object value, Action people)
    {
        if (json)
            Json(value);
        else
            people();
    }

    public void Json(object value) => console.Out.WriteLine(JsonSerializer.Serialize(value, JsonShape.Options));

    /// <summary>A line for people; JSON leaves it out.</summary>
    public void Line(string text = "")
    {
        if (!json)
            console.Out.WriteLine(text);
    }

    /// <summary>Names and values, one a line, aligned; null leaves the line out.</summary>
    public void Fields(params ReadOnlySpan<(string Name, string? Value)> fields)
    {
        var width = 0;
        foreach (var (name, value) in fields)
            width = value is null ? width : Math.Max(width, name.Length);
        foreach (var (name, value) in fields)
            if (value is not null)
                Line($"{name.PadRight(width)}  {value}");
    }

    public void Heading(string text)
    {
        Line();
        Line(text);
    }

    public void Table<T>(IReadOnlyCollection<T> rows, params ReadOnlySpan<Column<T>> columns)
    {
        var headers = new string[columns.Length];
        var right = new bool[columns.Length];
        for (var i = 0; i < columns.Length; i++)
            (headers[i], right[i]) = (columns[i].Header, columns[i].Right);
        var cells = new List<string[]>(rows.Count);
        foreach (var row in rows)
        {
            var line = new string[columns.Length];
            for (var i = 0; i < columns.Length; i++)
                line[i] = columns[i].Text(row)?.ReplaceLineEndings(" ") is { Length: > 0 } text ? text : headers[i].Length == 0 ? "" : "-";
            cells.Add(line);
        }
        Cells(headers, right, cells);
    }

    /// <summary>A cell up to this long is a name or a time, which nobody wants broken over lines.</summary>
    private const int LongestUnbroken = 32;

    /// <summary>Room for a column of sentences beside them.</summary>
    private const int RoomForText = 24;

    /// <summary>A table of texts.</summary>
    public void Cells(string[] headers, bool[] right, IReadOnlyList<string[]> rows)
    {
        var widths = headers.Select((h, i) => rows.Count == 0 ? h.Length : Math.Max(h.Length, rows.Max(r => r[i].Length))).ToArray();
        if (console.IsTerminal)
        {
            // Where even that does not fit, broken names are better than cut ones.
            var fits = widths.Sum(w => (w <= LongestUnbroken ? w : RoomForText) + 2) <= console.Ansi.Profile.Width;
            var table = new Table().Border(TableBorder.Simple);
            for (var i = 0; i < headers.Length; i++)
            {
                var column = new TableColumn(new Text(headers[i], new Style(decoration: Decoration.Bold)));
                column.NoWrap = fits && widths[i] <= LongestUnbroken;
                column.Padding = new Padding(0, 0, 1, 0);
                table.AddColumn(right[i] ? column.RightAligned() : column);
            }
            foreach (var row in rows)
                table.AddRow(row.Select(cell => new Text(cell)));
            console.Ansi.Write(table);
            return;
        }
        foreach (var row in rows.Prepend(headers))
            console.Out.WriteLine(string.Join("  ", row.Select((cell, i) => right[i] ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]))).TrimEnd());
    }
}
