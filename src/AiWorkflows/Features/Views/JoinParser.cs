using System.Linq.Expressions;

namespace AiWorkflows.Features;

/// <summary>Reads <c>(f, t) => f.A == t.K &amp;&amp; …</c> into what is compared with each key of the joined group.</summary>
internal static class JoinParser
{
    /// <summary>For each key of the group, in its order, an expression over the spine row of the key's type or its nullable form; null where the join is wrong.</summary>
    public static IReadOnlyList<Expression>? TryParse(LambdaExpression on, GroupSchema group, string where, List<string> errors)
    {
        var before = errors.Count;
        var (spine, row) = (on.Parameters[0], on.Parameters[1]);
        var bound = new Dictionary<string, Expression>();
        foreach (var comparison in Conjuncts(on.Body))
            Bind(comparison, spine, row, group, bound, where, errors);
        if (errors.Count == before)
            foreach (var key in group.Keys.Where(k => !bound.ContainsKey(k.Property)))
                errors.Add($"{where}: key {row.Type.Name}.{key.Property} is not bound; add '&& … == {row.Name}.{key.Property}'.");
        return errors.Count > before ? null : [.. group.Keys.Select(k => bound[k.Property])];
    }

    private static IEnumerable<Expression> Conjuncts(Expression e) =>
        e is BinaryExpression { NodeType: ExpressionType.AndAlso } and ? Conjuncts(and.Left).Concat(Conjuncts(and.Right)) : [e];

    private static void Bind(
        Expression comparison, ParameterExpression spine, ParameterExpression row, GroupSchema group, Dictionary<string, Expression> bound, string where, List<string> errors)
    {
        if (comparison is not BinaryExpression { NodeType: ExpressionType.Equal } equal)
        {
            errors.Add($"{where}: '{comparison}' is not of the form key == key; joins are equalities combined with &&.");
            return;
        }
        var (left, right) = ExpressionUse.Uses(equal.Left, row) ? (equal.Right, equal.Left) : (equal.Left, equal.Right);
        if (ExpressionUse.Strip(right) is not MemberExpression member || member.Expression != row || ExpressionUse.Uses(left, row))
        {
            errors.Add($"{where}: '{comparison}' must compare something of {spine.Type.Name}, or a constant, with a key of {row.Type.Name}.");
            return;
        }
        if (group.Keys.FirstOrDefault(k => k.Property == member.Member.Name) is not { } key)
        {
            errors.Add($"{where}: {row.Type.Name}.{member.Member.Name} is not an entity key (its keys are {string.Join(", ", group.Keys.Select(k => k.Property))}); join on keys, or mark it [EntityKey].");
            return;
        }
        if (bound.ContainsKey(key.Property))
        {
            errors.Add($"{where}: key {row.Type.Name}.{key.Property} is bound twice; compare it once.");
            return;
        }
        if (OfType(left, member.Type) is { } value)
            bound[key.Property] = value;
        else
            errors.Add($"{where}: '{ExpressionUse.Strip(left)}' is {ColumnTypes.Display(ExpressionUse.Strip(left).Type)} but key {row.Type.Name}.{key.Property} is {ColumnTypes.Display(member.Type)}; make them the same type.");
    }

    /// <summary>The left side as the key's type: a constant converted without loss, or the expression under as few of the compiler's conversions as are needed.</summary>
    private static Expression? OfType(Expression left, Type key)
    {
        if (ExpressionUse.TryEvaluate(left, out var constant))
            return Constant(constant, key);
        for (var candidate = left; ; candidate = ((UnaryExpression)candidate).Operand)
        {
            if (candidate.Type == key || Nullable.GetUnderlyingType(candidate.Type) == key)
                return candidate;
            if (candidate is not UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.ConvertChecked })
                return null;
        }
    }

    private static ConstantExpression? Constant(object? value, Type key)
    {
        try
        {
            return value is null ? null
                : value.GetType() == key ? Expression.Constant(value, key)
                : key.IsEnum && value is byte or short or int or long ? Expression.Constant(Enum.ToObject(key, value), key)
                : key.IsPrimitive && value is byte or short or int or long ? Expression.Constant(Convert.ChangeType(value, key, System.Globalization.CultureInfo.InvariantCulture), key)
                : null;
        }
        catch (OverflowException)
        {
            return null;
        }
    }
}
