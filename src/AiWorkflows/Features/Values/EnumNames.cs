using System.Collections.Concurrent;

namespace AiWorkflows.Features;

/// <summary>Enums cross the border to a store by name, so that renumbering them changes nothing.</summary>
internal static class EnumNames<TEnum> where TEnum : struct, Enum
{
    private static readonly ConcurrentDictionary<TEnum, string?> Names = [];
    private static readonly ConcurrentDictionary<string, TEnum> Values = new(StringComparer.Ordinal);

    /// <summary>The name (or names, of flags), or null where the value has none.</summary>
    public static string? Find(TEnum value) => Names.TryGetValue(value, out var name) ? name : Names.GetOrAdd(value, static v =>
    {
        var text = v.ToString();
        return text.Length > 0 && (char.IsAsciiDigit(text[0]) || text[0] == '-') ? null : text;
    });

    public static string Name(TEnum value) =>
        Find(value) ?? throw new ValueRefusedException($"{value} is no member of {typeof(TEnum).Name}; enums are stored by name, so give the value one");

    public static TEnum Parse(string name) => Values.TryGetValue(name, out var value) ? value : Values.GetOrAdd(name, static n =>
        Enum.TryParse<TEnum>(n, out var parsed) && Find(parsed) is not null
            ? parsed
            : throw new StageFailedException($"The store holds '{n}', which {typeof(TEnum).Name} no longer has; add the member again, or raise the group's version."));
}
