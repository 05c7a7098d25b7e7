using System.Linq.Expressions;
using System.Reflection;

namespace AiWorkflows.Features;

/// <summary>How a row is built from its columns: a constructor whose parameters are named as properties, and setters for the rest.</summary>
internal sealed class RowShape
{
    private readonly ConstructorInfo _constructor;
    private readonly PropertyInfo[] _byParameter;
    private readonly PropertyInfo[] _bySetter;

    private RowShape(ConstructorInfo constructor, PropertyInfo[] byParameter, PropertyInfo[] bySetter) =>
        (_constructor, _byParameter, _bySetter) = (constructor, byParameter, bySetter);

    public static RowShape? TryCreate(Type row, List<string> errors)
    {
        var properties = row.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.GetIndexParameters().Length == 0).ToArray();
        if (row.IsAbstract)
        {
            errors.Add($"{row.Name} is abstract; a row type is a concrete record.");
            return null;
        }
        var best = row.GetConstructors()
            .Select(c => (Constructor: c, Properties: c.GetParameters().Select(p => Array.Find(properties, q => string.Equals(q.Name, p.Name, StringComparison.OrdinalIgnoreCase) && q.PropertyType == p.ParameterType)).ToArray()))
            .Where(c => !Array.Exists(c.Properties, p => p is null))
            .OrderByDescending(c => c.Properties.Length)
            .FirstOrDefault();
        if (best.Constructor is null)
        {
            errors.Add($"{row.Name} has no public constructor whose parameters are named and typed as its properties; make it a positional record.");
            return null;
        }
        var rest = properties.Except(best.Properties).Select(p => p!).ToArray();
        var readOnly = Array.FindAll(rest, p => p.SetMethod is not { IsPublic: true });
        foreach (var p in readOnly)
            errors.Add($"{row.Name}.{p.Name} could be written but never read back: it has no setter and is no constructor parameter; make it a parameter of the record, or a method.");
        return readOnly.Length > 0 ? null : new RowShape(best.Constructor, best.Properties!, rest);
    }

    /// <summary>An expression that builds the row; properties without a value get the default of their type.</summary>
    public Expression New(Func<PropertyInfo, Expression?> value)
    {
        Expression Of(PropertyInfo p) => value(p) ?? Expression.Default(p.PropertyType);
        var created = Expression.New(_constructor, _byParameter.Select(Of));
        return _bySetter.Length == 0 ? created : Expression.MemberInit(created, _bySetter.Select(p => Expression.Bind(p, Of(p))));
    }
}
