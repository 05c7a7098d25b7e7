using System.Linq.Expressions;

namespace AiWorkflows;

/// <summary>What happens to a row that violates an expectation.</summary>
public enum OnViolation
{
    /// <summary>The whole commit fails; nothing of it becomes visible.</summary>
    Fail,

    /// <summary>The row is kept in quarantine with the reason, and can be replayed; the others are published.</summary>
    Quarantine,

    /// <summary>The row is published; the violation is counted and logged.</summary>
    Warn,
}

/// <summary>Collects what a feature pipeline expects of its rows.</summary>
/// <typeparam name="TRow">The record of the feature group.</typeparam>
public sealed class Expectations<TRow> where TRow : class
{
    internal sealed record Rule(string Text, Func<TRow, bool> Holds, Func<TRow, string> Found, OnViolation Otherwise);

    internal List<Rule> Rules { get; } = [];

    /// <summary>Expects <paramref name="value"/> to be missing or in <c>[min, max]</c>.</summary>
    public Expectations<TRow> InRange(Expression<Func<TRow, double?>> value, double min, double max, OnViolation otherwise = OnViolation.Fail)
    {
        ArgumentNullException.ThrowIfNull(value);
        var get = value.Compile();
        Rules.Add(new(
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Describe(value.Body)} in [{min}, {max}]"),
            row => get(row) is not { } v || double.IsNaN(v) || (v >= min && v <= max),
            row => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"found {get(row)}"),
            otherwise));
        return this;
    }

    /// <summary>Expects <paramref name="value"/> to be present (neither null nor NaN).</summary>
    public Expectations<TRow> Present(Expression<Func<TRow, object?>> value, OnViolation otherwise = OnViolation.Fail)
    {
        ArgumentNullException.ThrowIfNull(value);
        var get = value.Compile();
        Rules.Add(new($"{Describe(value.Body)} present", row => get(row) is not (null or float.NaN or double.NaN), _ => "found nothing", otherwise));
        return this;
    }

    /// <summary>Expects <paramref name="rule"/> to hold.</summary>
    public Expectations<TRow> That(Expression<Func<TRow, bool>> rule, OnViolation otherwise = OnViolation.Fail)
    {
        ArgumentNullException.ThrowIfNull(rule);
        Rules.Add(new(Describe(rule.Body), rule.Compile(), row => $"found {row}", otherwise));
        return this;
    }

    private static string Describe(Expression body)
    {
        while (body is UnaryExpression { NodeType: ExpressionType.Convert } convert)
            body = convert.Operand;
        return body is MemberExpression { Expression: ParameterExpression } member ? Naming.Snake(member.Member.Name) : body.ToString();
    }
}
