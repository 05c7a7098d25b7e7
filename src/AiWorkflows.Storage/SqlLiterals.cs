using System.Globalization;
using System.Text.RegularExpressions;

namespace AiWorkflows.Storage;

/// <summary>Puts values into a statement that a person will run: only for scripts that are printed, never for statements that are executed.</summary>
internal static partial class SqlLiterals
{
    /// <summary>Replaces each @Name by the property of that name.</summary>
    public static string Fill(string sql, object row, string textPrefix) =>
        Parameter().Replace(sql, m => Literal(row.GetType().GetProperty(m.Groups[1].Value)?.GetValue(row), textPrefix));

    private static string Literal(object? value, string textPrefix) => value switch
    {
        null => "NULL",
        string text => $"{textPrefix}'{text.Replace("'", "''", StringComparison.Ordinal)}'",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new ArgumentException($"No literal for {value.GetType().Name}."),
    };

    [GeneratedRegex(@"@([A-Za-z]+)")]
    private static partial Regex Parameter();
}
