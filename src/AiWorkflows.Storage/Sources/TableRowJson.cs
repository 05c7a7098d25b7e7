using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using AiWorkflows.Features;

namespace AiWorkflows.Storage.Sources;

/// <summary>A row of any database as an event that was pushed would look like, so that it is checked as strictly.</summary>
internal static class TableRowJson
{
    /// <param name="columns">In the order of the row, which has its key before them.</param>
    public static void Write(IReadOnlyList<FeatureColumn> columns, DbDataReader row, Stream to)
    {
        using var json = new Utf8JsonWriter(to);
        json.WriteStartObject();
        for (var i = 0; i < columns.Count; i++)
        {
            json.WritePropertyName(columns[i].Name);
            Write(json, columns[i], row.GetValue(i + 1));
        }
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, FeatureColumn column, object value)
    {
        switch (value)
        {
            case DBNull:
            case float.NaN or double.NaN:
                json.WriteNullValue();
                break;
            case bool truth:
                json.WriteBooleanValue(truth);
                break;
            case long or int or short or byte when column.Type == ColumnType.Boolean && Convert.ToInt64(value, CultureInfo.InvariantCulture) is 0 or 1:
                json.WriteBooleanValue(Convert.ToInt64(value, CultureInfo.InvariantCulture) == 1);
                break;
            case long or int or short or byte:
                json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            case float number when float.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case DateTime time when column.Type == ColumnType.Date:
                json.WriteStringValue(time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
                break;
            case DateTime time:
                json.WriteStringValue(DateTime.SpecifyKind(time.Kind == DateTimeKind.Local ? time.ToUniversalTime() : time, DateTimeKind.Utc).ToString("O", CultureInfo.InvariantCulture));
                break;
            case DateTimeOffset time:
                json.WriteStringValue(time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
                break;
            case string text when column.Type == ColumnType.Timestamp
                && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time):
                // A database without a type for times has them as text.
                json.WriteStringValue(time.ToString("O", CultureInfo.InvariantCulture));
                break;
            default:
                json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }
}
