using System.Linq.Expressions;
using System.Reflection;
using AiWorkflows.Features;

namespace AiWorkflows.Models;

/// <summary>Compiles the getters of an example's properties.</summary>
internal static class ExampleGetters
{
    /// <summary>Whole numbers up to here are exact as Single.</summary>
    public const long LargestExact = 1 << 24;

    public static bool IsNumber(Type type) =>
        type == typeof(bool) || type == typeof(float) || type == typeof(double) || type == typeof(decimal)
        || type == typeof(byte) || type == typeof(short) || type == typeof(int) || type == typeof(long);

    public static Func<TExample, float> Number<TExample>(PropertyInfo property, Type type, string member)
    {
        var example = Expression.Parameter(typeof(TExample));
        var value = Expression.Property(example, property);
        var body = type == property.PropertyType ? Single(value) : Expression.Condition(
            Expression.Property(value, "HasValue"), Single(Expression.Property(value, "Value")), Expression.Constant(float.NaN));
        return Expression.Lambda<Func<TExample, float>>(body, example).Compile();

        Expression Single(Expression e) =>
            type == typeof(bool) ? Expression.Condition(e, Expression.Constant(1f), Expression.Constant(0f))
            : type == typeof(int) || type == typeof(long) ? Call(nameof(Exact), Expression.Convert(e, typeof(long)))
            : type == typeof(byte) || type == typeof(short) ? Expression.Convert(e, typeof(float))
            : Call(nameof(Canonical), Expression.Convert(e, typeof(float)));

        Expression Call(string method, Expression argument) => Expression.Call(
            typeof(ExampleGetters).GetMethod(method, BindingFlags.Public | BindingFlags.Static)!, argument, Expression.Constant(member));
    }

    public static Func<TExample, string?> Text<TExample>(PropertyInfo property, Type type, string member)
    {
        var example = Expression.Parameter(typeof(TExample));
        Expression value = Expression.Property(example, property);
        if (type.IsEnum)
            value = Expression.Call(typeof(ExampleGetters).GetMethod(nameof(EnumName))!.MakeGenericMethod(type),
                Expression.Convert(value, typeof(Nullable<>).MakeGenericType(type)), Expression.Constant(member));
        return Expression.Lambda<Func<TExample, string?>>(value, example).Compile();
    }

    public static Func<TExample, float[]?> Vector<TExample>(PropertyInfo property, int length, string member)
    {
        var get = property.GetMethod!.CreateDelegate<Func<TExample, float[]?>>();
        return example => get(example) is not { } vector || vector.Length == length ? get(example) : throw new StageFailedException(
            $"{member} has {vector.Length} elements where {length} are declared; every example needs a vector of the same length.");
    }

    /// <summary>One NaN, one zero, no infinity.</summary>
    /// <exception cref="StageFailedException">The value is infinite.</exception>
    public static float Canonical(float value, string member) =>
        float.IsNaN(value) ? float.NaN
        : float.IsInfinity(value) ? throw new StageFailedException($"{member} is infinite; a model input is a finite number or missing (NaN). Guard the division or logarithm in Select.")
        : value == 0 ? 0f : value;

    /// <exception cref="StageFailedException">The value is not exact as Single.</exception>
    public static float Exact(long value, string member) => value is >= -LargestExact and <= LargestExact ? value : throw new StageFailedException(
        $"{member} is {value}, but ML.NET learns from Single, which is exact only up to {LargestExact}. Scale it in Select, or make it float to accept the rounding.");

    /// <exception cref="StageFailedException">The value has no name.</exception>
    public static string? EnumName<TEnum>(TEnum? value, string member) where TEnum : struct, Enum => value is not { } v ? null
        : EnumNames<TEnum>.Find(v) ?? throw new StageFailedException($"{member} is {v}, which is no member of {typeof(TEnum).Name}; a model learns enums by name, so give the value one.");
}
