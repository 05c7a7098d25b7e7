using System.Linq.Expressions;

namespace AiWorkflows.Features;

/// <summary>A label as a model learns it: a number, or a class by name; neither where the row says nothing.</summary>
internal readonly record struct LabelValue(bool IsKnown, double Number, string? Text)
{
    public static readonly LabelValue Unknown = new(false, double.NaN, null);

    /// <summary>bool, float, string or an enum; null where the type is no label.</summary>
    public static Type? TypeOf(Type declared) =>
        (Nullable.GetUnderlyingType(declared) ?? declared) is var type && (type == typeof(bool) || type == typeof(float) || type == typeof(string) || type.IsEnum) ? type : null;

    public static Func<TRow, LabelValue> Compile<TRow>(LambdaExpression value)
    {
        var type = Nullable.GetUnderlyingType(value.ReturnType) ?? value.ReturnType;
        var method = type.IsEnum
            ? typeof(LabelValue).GetMethod(nameof(OfEnum))!.MakeGenericMethod(type)
            : typeof(LabelValue).GetMethod(nameof(Of), [type == typeof(string) ? type : typeof(Nullable<>).MakeGenericType(type)])!;
        var argument = method.GetParameters()[0].ParameterType;
        return Expression.Lambda<Func<TRow, LabelValue>>(
            Expression.Call(method, value.Body.Type == argument ? value.Body : Expression.Convert(value.Body, argument)), value.Parameters).Compile();
    }

    public static LabelValue Of(bool? value) => value is { } v ? new(true, v ? 1 : 0, null) : Unknown;

    public static LabelValue Of(float? value) => value is { } v && !float.IsNaN(v) ? new(true, v, null) : Unknown;

    public static LabelValue Of(string? value) => value is null ? Unknown : new(true, double.NaN, value);

    public static LabelValue OfEnum<TEnum>(TEnum? value) where TEnum : struct, Enum => value is { } v ? new(true, double.NaN, EnumNames<TEnum>.Name(v)) : Unknown;
}
