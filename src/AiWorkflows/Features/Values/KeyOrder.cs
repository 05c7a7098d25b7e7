namespace AiWorkflows.Features;

/// <summary>The canonical order of key values: texts and enum names by their UTF-8 bytes, Guids by their big-endian bytes, numbers by value.</summary>
internal static class KeyOrder
{
    public static int Compare(string a, string b)
    {
        if (ReferenceEquals(a, b))
            return 0;
        var length = Math.Min(a.Length, b.Length);
        var at = a.AsSpan(0, length).CommonPrefixLength(b);
        return at == length ? a.Length.CompareTo(b.Length) : Weight(a[at]).CompareTo(Weight(b[at]));
    }

    public static int Compare(long a, long b) => a.CompareTo(b);

    public static int Compare(Guid a, Guid b) => a.CompareTo(b);

    public static int Compare(DateOnly a, DateOnly b) => a.CompareTo(b);

    public static int CompareEnum<TEnum>(TEnum a, TEnum b) where TEnum : struct, Enum =>
        EqualityComparer<TEnum>.Default.Equals(a, b) ? 0 : Compare(EnumNames<TEnum>.Name(a), EnumNames<TEnum>.Name(b));

    /// <summary>UTF-16 units in the order of their UTF-8 bytes: surrogates stand for code points above U+FFFF, so they come last.</summary>
    private static int Weight(char c) => c < '\uD800' ? c : c >= '\uE000' ? c - 0x800 : c + 0x2000;
}
