using System.Text;

namespace AiWorkflows;

/// <summary>Derives the names people see from the names of types and members.</summary>
internal static class Naming
{
    /// <summary><c>RouteHourPipeline</c> becomes <c>route-hour</c>: the class name without its suffix, in kebab case.</summary>
    public static string Kebab(Type type, params ReadOnlySpan<string> suffixes)
    {
        var name = type.Name;
        foreach (var suffix in suffixes)
            if (name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.Ordinal))
            {
                name = name[..^suffix.Length];
                break;
            }
        return Split(name, '-');
    }

    /// <summary><c>Late90d</c> becomes <c>late90d</c>, <c>FlightId</c> becomes <c>flight_id</c>: the column of a property.</summary>
    public static string Snake(string name) => Split(name, '_');

    private static string Split(string name, char separator)
    {
        var text = new StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            var startsWord = char.IsUpper(c) && i > 0 && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (startsWord && text[^1] != separator && name[i - 1] != '_')
                text.Append(separator);
            text.Append(c == '_' ? separator : char.ToLowerInvariant(c));
        }
        return text.ToString();
    }
}
