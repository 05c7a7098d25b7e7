using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using System.Reflection;

namespace AiWorkflows.Features;

/// <summary>Questions about the expressions of a definition.</summary>
internal static class ExpressionUse
{
    /// <summary>The properties of a parameter that an expression reads, or null where the parameter itself escapes, so that any may be read.</summary>
    public static IReadOnlySet<string>? Properties(Expression expression, ParameterExpression parameter)
    {
        var finder = new PropertyFinder(parameter);
        finder.Visit(expression);
        return finder.Escapes ? null : finder.Properties;
    }

    public static bool Uses(Expression expression, ParameterExpression parameter)
    {
        var finder = new PropertyFinder(parameter);
        finder.Visit(expression);
        return finder.Escapes || finder.Properties.Count > 0;
    }

    /// <summary>The value of a captured variable (or of a member of one): a chain of members that starts at a constant.</summary>
    public static bool TryCapture(MemberExpression member, out object? value)
    {
        value = null;
        switch (member.Expression)
        {
            // Row and Exists are only read from the expression.
            case var joined when IsJoined(joined):
                return false;
            case ConstantExpression constant:
                value = constant.Value;
                break;
            case MemberExpression inner when TryCapture(inner, out value):
                break;
            default:
                return false;
        }
        if (value is null)
            return false;
        value = member.Member switch
        {
            FieldInfo field => field.GetValue(value),
            PropertyInfo property => property.GetValue(value),
            _ => null,
        };
        return true;
    }

    /// <summary>The value of an expression that uses no parameter.</summary>
    public static bool TryEvaluate(Expression expression, out object? value)
    {
        var finder = new ParameterFinder();
        finder.Visit(expression);
        value = finder.Found ? null : Expression.Lambda(Expression.Convert(expression, typeof(object))).Compile(preferInterpretation: true).DynamicInvoke();
        return !finder.Found;
    }

    /// <summary>Without the conversions that the compiler adds around comparisons of small integers, enums and nullable values.</summary>
    public static Expression Strip(Expression expression)
    {
        while (expression is UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.ConvertChecked } convert && convert.Method is null)
            expression = convert.Operand;
        return expression;
    }

    public static bool IsJoined([NotNullWhen(true)] Expression? expression) =>
        expression is not null && expression.Type.IsGenericType && expression.Type.GetGenericTypeDefinition() == typeof(Joined<>);

    public static int JoinIndex(object joined) =>
        (int)joined.GetType().GetProperty(nameof(Joined<>.Index), BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(joined)!;

    private sealed class PropertyFinder(ParameterExpression parameter) : ExpressionVisitor
    {
        public HashSet<string> Properties { get; } = [];

        public bool Escapes { get; private set; }

        protected override Expression VisitMember(MemberExpression node)
        {
            if (node.Expression != parameter)
                return base.VisitMember(node);
            Properties.Add(node.Member.Name);
            return node;
        }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            Escapes |= node == parameter;
            return node;
        }
    }

    private sealed class ParameterFinder : ExpressionVisitor
    {
        public bool Found { get; private set; }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            Found = true;
            return node;
        }
    }
}
