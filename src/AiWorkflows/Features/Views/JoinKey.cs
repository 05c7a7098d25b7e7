using System.Linq.Expressions;

namespace AiWorkflows.Features;

/// <summary>What a spine row is joined by; false where a part of it is missing, which matches nothing.</summary>
internal delegate bool KeyOf<TSpine, TKey>(TSpine spine, out TKey key);

/// <summary>Compiles join keys. One key is itself, several are a tuple.</summary>
internal static class JoinKey
{
    public const int MostKeys = 7;

    public static Type TypeOf(GroupSchema group) => TupleOf([.. group.Keys.Select(k => group.Row.GetProperty(k.Property)!.PropertyType)]);

    public static Func<TRow, TKey> OfRow<TRow, TKey>(GroupSchema group)
    {
        var row = Expression.Parameter(typeof(TRow));
        return Expression.Lambda<Func<TRow, TKey>>(Tuple([.. group.Keys.Select(k => Expression.Property(row, k.Property))]), row).Compile();
    }

    /// <param name="parts">One expression over <paramref name="spine"/> for each key of the group.</param>
    public static KeyOf<TSpine, TKey> OfSpine<TSpine, TKey>(IReadOnlyList<Expression> parts, ParameterExpression spine)
    {
        var key = Expression.Parameter(typeof(TKey).MakeByRefType());
        var variables = parts.Select(p => Expression.Variable(p.Type)).ToArray();
        var missing = variables.Where(CanBeNull).Select(v => (Expression)Expression.Equal(v, Expression.Constant(null, v.Type))).Aggregate((Expression)Expression.Constant(false), Expression.OrElse);
        var values = variables.Select(v => Nullable.GetUnderlyingType(v.Type) is null ? (Expression)v : Expression.Property(v, "Value")).ToArray();
        var body = Expression.Block(
            variables,
            [
                .. variables.Zip(parts, Expression.Assign),
                Expression.Condition(
                    missing,
                    Expression.Block(Expression.Assign(key, Expression.Default(typeof(TKey))), Expression.Constant(false)),
                    Expression.Block(Expression.Assign(key, Tuple(values)), Expression.Constant(true))),
            ]);
        return Expression.Lambda<KeyOf<TSpine, TKey>>(body, spine, key).Compile();
    }

    private static bool CanBeNull(Expression e) => !e.Type.IsValueType || Nullable.GetUnderlyingType(e.Type) is not null;

    private static Expression Tuple(Expression[] parts) =>
        parts.Length == 1 ? parts[0] : Expression.New(TupleOf([.. parts.Select(p => p.Type)]).GetConstructor([.. parts.Select(p => p.Type)])!, parts);

    private static Type TupleOf(Type[] types) => types.Length == 1 ? types[0] : Type.GetType($"System.ValueTuple`{types.Length}")!.MakeGenericType(types);
}
