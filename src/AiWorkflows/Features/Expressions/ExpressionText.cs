using System.Globalization;
using System.Linq.Expressions;
using System.Reflection;
using System.Text;

namespace AiWorkflows.Features;

/// <summary>
/// Writes an expression so that two are equal exactly when they say the same: parameters by position, captured variables by their values.
/// <c>ToString()</c> tells neither apart two captured thresholds nor two overloads. Opaque captured objects are numbered by identity, so texts compare within one instance.
/// </summary>
internal sealed class ExpressionText : ExpressionVisitor
{
    private readonly StringBuilder _text = new();
    private readonly List<ParameterExpression> _parameters = [];
    private readonly List<object> _objects = [];

    public string Of(Expression expression)
    {
        _text.Clear();
        Visit(expression);
        return _text.ToString();
    }

    public override Expression? Visit(Expression? node)
    {
        switch (node)
        {
            case null:
                _text.Append("null");
                break;
            case LambdaExpression lambda:
                var first = _parameters.Count;
                _parameters.AddRange(lambda.Parameters);
                _text.Append(CultureInfo.InvariantCulture, $"({string.Join(',', lambda.Parameters.Select((p, i) => $"{TypeName(p.Type)} ${first + i}"))})=>");
                Visit(lambda.Body);
                _parameters.RemoveRange(first, lambda.Parameters.Count);
                break;
            case ParameterExpression parameter:
                _text.Append(CultureInfo.InvariantCulture, $"${_parameters.IndexOf(parameter)}");
                break;
            case ConstantExpression constant:
                AppendValue(constant.Value, constant.Type);
                break;
            case MemberExpression member when ExpressionUse.TryCapture(member, out var value):
                AppendValue(value, member.Type);
                break;
            case MemberExpression member:
                Append(member.Expression is null ? TypeName(member.Member.DeclaringType!) : "", member.Expression);
                _text.Append('.').Append(member.Member.Name);
                break;
            case MethodCallExpression call:
                _text.Append(MethodName(call.Method));
                AppendList(call.Object is null ? [.. call.Arguments] : [call.Object, .. call.Arguments]);
                break;
            case NewExpression created:
                _text.Append("new ").Append(TypeName(created.Type));
                AppendList([.. created.Arguments]);
                break;
            case MemberInitExpression init:
                Visit(init.NewExpression);
                foreach (var binding in init.Bindings.OfType<MemberAssignment>())
                    Append($"|{binding.Member.Name}=", binding.Expression);
                break;
            case NewArrayExpression array:
                _text.Append(array.NodeType).Append(TypeName(array.Type));
                AppendList([.. array.Expressions]);
                break;
            case InvocationExpression invocation:
                _text.Append("invoke");
                AppendList([invocation.Expression, .. invocation.Arguments]);
                break;
            case ConditionalExpression condition:
                _text.Append("if");
                AppendList([condition.Test, condition.IfTrue, condition.IfFalse]);
                break;
            case UnaryExpression unary:
                _text.Append(unary.NodeType).Append(':').Append(TypeName(unary.Type));
                AppendList([unary.Operand]);
                break;
            case BinaryExpression binary:
                _text.Append(binary.NodeType);
                AppendList([binary.Left, binary.Right]);
                break;
            case TypeBinaryExpression type:
                _text.Append(type.NodeType).Append(TypeName(type.TypeOperand));
                AppendList([type.Expression]);
                break;
            default:
                _text.Append(node.NodeType).Append(TypeName(node.Type)).Append(node);
                break;
        }
        return node;
    }

    private void Append(string before, Expression? node)
    {
        _text.Append(before);
        if (node is not null)
            Visit(node);
    }

    private void AppendList(Expression[] nodes)
    {
        _text.Append('(');
        for (var i = 0; i < nodes.Length; i++)
            Append(i == 0 ? "" : ",", nodes[i]);
        _text.Append(')');
    }

    private void AppendValue(object? value, Type type)
    {
        var text = value switch
        {
            null => "null",
            string s => '"' + s.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + '"',
            float f => f.ToString("R", CultureInfo.InvariantCulture),
            double d => d.ToString("R", CultureInfo.InvariantCulture),
            DateTime t => t.ToString("O", CultureInfo.InvariantCulture),
            TimeSpan s => s.ToString("c", CultureInfo.InvariantCulture),
            Type t => TypeName(t),
            IFormattable f when type.IsValueType => f.ToString(null, CultureInfo.InvariantCulture),
            bool b => b ? "true" : "false",
            _ when value.GetType() is { IsGenericType: true } t && t.GetGenericTypeDefinition() == typeof(Joined<>) => $"join{ExpressionUse.JoinIndex(value)}",
            _ => $"object{Identity(value)}",
        };
        _text.Append(TypeName(type)).Append('{').Append(text).Append('}');
    }

    private int Identity(object value)
    {
        var index = _objects.FindIndex(o => ReferenceEquals(o, value) || (o is Delegate && o.Equals(value)));
        if (index >= 0)
            return index;
        _objects.Add(value);
        return _objects.Count - 1;
    }

    private static string MethodName(MethodInfo method) =>
        $"{TypeName(method.DeclaringType!)}.{method.Name}{(method.IsGenericMethod ? $"<{string.Join(',', method.GetGenericArguments().Select(TypeName))}>" : "")}/{string.Join(',', method.GetParameters().Select(p => TypeName(p.ParameterType)))}";

    private static string TypeName(Type type) => !type.IsGenericType ? type.FullName ?? type.Name
        : $"{type.Namespace}.{type.Name}<{string.Join(',', type.GetGenericArguments().Select(TypeName))}>";
}
