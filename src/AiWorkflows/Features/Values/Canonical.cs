using System.Runtime.CompilerServices;

namespace AiWorkflows.Features;

/// <summary>
/// The one definition of what a value is: NaN and null are missing, infinity is refused, -0 is 0, times are UTC and cut to microseconds,
/// decimals are rounded to the declared scale (half away from zero). Called from compiled codecs; each method returns the canonical value.
/// </summary>
internal static class Canonical
{
    public static float Single(float value) =>
        float.IsFinite(value) ? value + 0f : float.IsNaN(value) ? value : throw new ValueRefusedException(Infinite);

    public static double Double(double value) =>
        double.IsFinite(value) ? value + 0d : double.IsNaN(value) ? value : throw new ValueRefusedException(Infinite);

    public static float? Single(float? value) => value is { } v && !float.IsNaN(v) ? Single(v) : null;

    public static double? Double(double? value) => value is { } v && !double.IsNaN(v) ? Double(v) : null;

    public static DateTime Time(DateTime value)
    {
        if (value.Kind != DateTimeKind.Utc)
            throw new ValueRefusedException(
                $"the time {value:yyyy-MM-dd'T'HH:mm:ss.FFFFFF} is {value.Kind}, not UTC; convert it with a time zone, or mark it with DateTime.SpecifyKind(…, DateTimeKind.Utc) if it is UTC");
        var finer = value.Ticks % TimeSpan.TicksPerMicrosecond;
        return finer == 0 ? value : new DateTime(value.Ticks - finer, DateTimeKind.Utc);
    }

    public static DateTime? Time(DateTime? value) => value is { } v ? Time(v) : null;

    public static decimal Decimal(decimal value, int precision, int scale)
    {
        var rounded = decimal.Round(value, scale, MidpointRounding.AwayFromZero);
        if (Math.Abs(rounded) >= PowerOfTen(precision - scale))
            throw new ValueRefusedException($"{value} does not fit decimal({precision},{scale}); declare more digits with [Feature(Precision = …, Scale = …)]");
        return rounded;
    }

    public static decimal? Decimal(decimal? value, int precision, int scale) => value is { } v ? Decimal(v, precision, scale) : null;

    public static string? Text(string? value, bool isNullable, int maxLength)
    {
        if (value is null)
            return isNullable ? null : throw new ValueRefusedException("null, though the property is declared as never null; give it a value, or declare it nullable");
        if (value.Length > maxLength)
            throw new ValueRefusedException($"{value.Length} characters, at most {maxLength} are declared: '{value[..Math.Min(40, value.Length)]}…'; shorten it, or declare more with MaxLength");
        if (!IsPlain(value))
            RefuseLoneSurrogates(value);
        return value;
    }

    public static string KeyText(string? value, int maxLength)
    {
        if (value is null)
            throw new ValueRefusedException("null; an entity key is never null");
        Text(value, false, maxLength);
        if (value.Length > 0 && value[^1] == ' ')
            throw new ValueRefusedException($"'{value}' ends with a space, which engines compare differently; trim it");
        if (!IsPlain(value))
            foreach (var c in value)
                if (char.IsControl(c))
                    throw new ValueRefusedException($"a key with the control character U+{(int)c:X4}; remove it");
        return value;
    }

    public static TEnum Enumeration<TEnum>(TEnum value) where TEnum : struct, Enum
    {
        EnumNames<TEnum>.Name(value);
        return value;
    }

    public static TEnum? OptionalEnumeration<TEnum>(TEnum? value) where TEnum : struct, Enum
    {
        if (value is { } v)
            EnumNames<TEnum>.Name(v);
        return value;
    }

    public static float[]? Vector(float[]? value, bool isNullable, int length)
    {
        if (value is null)
            return isNullable ? null : throw new ValueRefusedException("null, though the property is declared as never null; give it a value, or declare it nullable");
        if (value.Length != length)
            throw new ValueRefusedException($"a vector of {value.Length} elements, declared are {length}");
        float[]? copy = null;
        for (var i = 0; i < value.Length; i++)
        {
            var element = Single(value[i]);
            if (!Same(element, value[i]))
                (copy ??= (float[])value.Clone())[i] = element;
        }
        return copy ?? value;
    }

    public static bool Same(float a, float b) => BitConverter.SingleToInt32Bits(a) == BitConverter.SingleToInt32Bits(b);

    public static bool Same(double a, double b) => BitConverter.DoubleToInt64Bits(a) == BitConverter.DoubleToInt64Bits(b);

    public static bool Same(float? a, float? b) => a.HasValue == b.HasValue && (!a.HasValue || Same(a.Value, b!.Value));

    public static bool Same(double? a, double? b) => a.HasValue == b.HasValue && (!a.HasValue || Same(a.Value, b!.Value));

    public static bool Same(DateTime a, DateTime b) => a.Ticks == b.Ticks;

    public static bool Same(DateTime? a, DateTime? b) => a == b;

    public static bool Same(decimal a, decimal b) => a == b;

    public static bool Same(decimal? a, decimal? b) => a == b;

    public static bool Same(float[]? a, float[]? b) => ReferenceEquals(a, b);

    public static decimal PowerOfTen(int exponent)
    {
        var power = 1m;
        for (var i = 0; i < exponent; i++)
            power *= 10m;
        return power;
    }

    private const string Infinite = "infinity, which cannot be stored; write NaN or null where a value is missing";

    /// <summary>Printable ASCII: nothing to refuse but a trailing space.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsPlain(string value) => !value.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static void RefuseLoneSurrogates(string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if (!char.IsSurrogate(value[i]))
                continue;
            if (!char.IsHighSurrogate(value[i]) || i + 1 == value.Length || !char.IsLowSurrogate(value[i + 1]))
                throw new ValueRefusedException($"text with half of a surrogate pair at position {i}, which is no Unicode; repair it");
            i++;
        }
    }
}
