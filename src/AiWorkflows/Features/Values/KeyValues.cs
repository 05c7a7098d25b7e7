using System.Globalization;

namespace AiWorkflows.Features;

/// <summary>Key values as people type them.</summary>
internal static class KeyValues
{
    /// <summary>The canonical value: long, string or byte[].</summary>
    /// <exception cref="InvalidRequestException">The text is no value of the column.</exception>
    public static object Parse(FeatureColumn column, string text)
    {
        object? value = column.Type switch
        {
            ColumnType.Text or ColumnType.Enum => text,
            ColumnType.Guid => Guid.TryParse(text, out var guid) ? guid.ToByteArray(bigEndian: true) : null,
            ColumnType.Date => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? (long)(date.DayNumber - CellWriter.EpochDay) : null,
            _ => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null,
        };
        return value ?? throw new InvalidRequestException($"'{text}' is no value of key {column.Name}, which is {column.Type}.");
    }
}
