using System.Reflection;

namespace AiWorkflows.Features;

/// <summary>What a model can see of an example.</summary>
internal static class ExampleTypes
{
    public static void Check(string view, Type example, List<string> errors)
    {
        var properties = example.GetProperties(BindingFlags.Public | BindingFlags.Instance);
        if (properties.Length == 0)
            errors.Add($"{view}: {example.Name} has no properties; an example is a record of features.");
        foreach (var p in properties)
        {
            var type = Nullable.GetUnderlyingType(p.PropertyType) ?? p.PropertyType;
            if (type == typeof(float[]))
            {
                if (Feature(example, p) is not { VectorLength: > 0 })
                    errors.Add($"{view}: {example.Name}.{p.Name} is float[] of unknown length; add [Feature(VectorLength = n)].");
            }
            else if (!(type == typeof(string) || type == typeof(bool) || type.IsEnum || type == typeof(decimal) || type == typeof(float) || type == typeof(double)
                || type == typeof(byte) || type == typeof(short) || type == typeof(int) || type == typeof(long)))
                errors.Add($"{view}: {example.Name}.{p.Name} is {ColumnTypes.Display(p.PropertyType)}, which is no model input; compute a number or a string from it in Select{(type == typeof(DateTime) ? " (for example .Hour)" : "")}.");
        }
    }

    /// <summary>The attribute of a property, or of the record's parameter of that name.</summary>
    public static FeatureAttribute? Feature(Type example, PropertyInfo property) =>
        property.GetCustomAttribute<FeatureAttribute>()
        ?? example.GetConstructors().SelectMany(c => c.GetParameters()).Where(p => p.Name == property.Name).Select(p => p.GetCustomAttribute<FeatureAttribute>()).FirstOrDefault(a => a is not null);
}
