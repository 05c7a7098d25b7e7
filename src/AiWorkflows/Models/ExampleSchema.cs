using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Models;

/// <summary>What ML.NET sees of an example type: numbers as Single with NaN for missing, strings and enums as text, <c>float[]</c> as vectors.</summary>
internal abstract class ExampleSchema
{
    /// <summary>Name of the label's column in ML.NET.</summary>
    public const string LabelName = "Label";

    protected ExampleSchema(IReadOnlyList<ExampleColumn> columns, Type? label)
    {
        Columns = columns;
        Label = label;
        var builder = new DataViewSchema.Builder();
        foreach (var c in columns)
            builder.AddColumn(c.Name, c.Kind switch
            {
                ExampleColumnKind.Number => NumberDataViewType.Single,
                ExampleColumnKind.Text => TextDataViewType.Instance,
                _ => new VectorDataViewType(NumberDataViewType.Single, c.Length),
            });
        if (label is not null)
            builder.AddColumn(LabelName, ModelTasks.Of(label) switch
            {
                ModelTask.Binary => BooleanDataViewType.Instance,
                ModelTask.Multiclass => TextDataViewType.Instance,
                _ => NumberDataViewType.Single,
            });
        DataView = builder.ToSchema();
        ForTrainer = new(LabelName,
            [.. columns.Where(c => c.Kind != ExampleColumnKind.Text).Select(c => c.Name)],
            [.. columns.Where(c => c.Kind == ExampleColumnKind.Text).Select(c => c.Name)]);
    }

    /// <summary>The inputs, in the order of the example type.</summary>
    public IReadOnlyList<ExampleColumn> Columns { get; }

    /// <summary>Type of the label; null where the view has none.</summary>
    public Type? Label { get; }

    /// <summary>The inputs, and the label last.</summary>
    public DataViewSchema DataView { get; }

    /// <summary>Index of the label in <see cref="DataView"/>.</summary>
    public int LabelIndex => Columns.Count;

    /// <summary>What <c>Fit</c> is given.</summary>
    public ExampleColumns ForTrainer { get; }
}

/// <summary>The schema of an example type with compiled getters.</summary>
internal sealed class ExampleSchema<TExample> : ExampleSchema where TExample : class
{
    private ExampleSchema(IReadOnlyList<ExampleColumn> columns, IReadOnlyList<Delegate> getters, Type? label) : base(columns, label) => Getters = getters;

    /// <summary>By column: <c>Func&lt;TExample, float&gt;</c>, <c>Func&lt;TExample, string?&gt;</c> or <c>Func&lt;TExample, float[]?&gt;</c>, as the kind says. Numbers are canonical.</summary>
    public IReadOnlyList<Delegate> Getters { get; }

    /// <summary>Reads the schema, or adds to <paramref name="errors"/> every property that ML.NET cannot learn from and returns null.</summary>
    public static ExampleSchema<TExample>? TryCreate(Type? label, List<string> errors)
    {
        var before = errors.Count;
        var (columns, getters) = (new List<ExampleColumn>(), new List<Delegate>());
        var nullability = new NullabilityInfoContext();
        foreach (var p in typeof(TExample).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.GetIndexParameters().Length == 0))
        {
            var member = $"{typeof(TExample).Name}.{p.Name}";
            var underlying = Nullable.GetUnderlyingType(p.PropertyType);
            var type = underlying ?? p.PropertyType;
            if (p.Name.Equals(LabelName, StringComparison.OrdinalIgnoreCase) || p.Name is "event_time" or "entity_key")
                errors.Add($"{member} would be a column that the training dataset needs itself; rename it.");
            else if (type == typeof(float[]))
            {
                if (VectorLength.Of(p) is not { } length)
                    errors.Add($"{member} is float[] of unknown length; add [Feature(VectorLength = n)].");
                else
                    Add(ExampleColumnKind.Vector, ExampleGetters.Vector<TExample>(p, length, member), nullability.Create(p).ReadState != NullabilityState.NotNull, length);
            }
            else if (type == typeof(string) || type.IsEnum)
                Add(ExampleColumnKind.Text, ExampleGetters.Text<TExample>(p, type, member),
                    underlying is not null || (type == typeof(string) && nullability.Create(p).ReadState != NullabilityState.NotNull), 0);
            else if (ExampleGetters.IsNumber(type))
                Add(ExampleColumnKind.Number, ExampleGetters.Number<TExample>(p, type, member), underlying is not null || type == typeof(float) || type == typeof(double), 0);
            else
                errors.Add($"{member} is {Features.ColumnTypes.Display(p.PropertyType)}, from which ML.NET cannot learn; compute a number or a string from it in Select{Advice(type)}.");

            void Add(ExampleColumnKind kind, Delegate getter, bool isNullable, int length)
            {
                columns.Add(new(p.Name, kind, Features.ColumnTypes.Display(p.PropertyType), isNullable, length));
                getters.Add(getter);
            }
        }
        if (columns.Count == 0 && errors.Count == before)
            errors.Add($"{typeof(TExample).Name} has no properties, so a model would see nothing; add its features.");
        return errors.Count > before ? null : new(columns, getters, label);
    }

    private static string Advice(Type type) =>
        type == typeof(DateTime) ? ", for example .Hour or the days since another time"
        : type == typeof(DateOnly) ? ", for example .DayOfYear"
        : type == typeof(Guid) ? ": an identifier does not generalise"
        : "";
}

/// <summary>The declared length of a <c>float[]</c>: <c>[Feature(VectorLength = n)]</c> on property or parameter, or ML.NET's <c>[VectorType(n)]</c>.</summary>
internal static class VectorLength
{
    public static int? Of(PropertyInfo property)
    {
        var parameter = property.DeclaringType!.GetConstructors().SelectMany(c => c.GetParameters()).FirstOrDefault(q => q.Name == property.Name);
        var feature = property.GetCustomAttribute<FeatureAttribute>() ?? parameter?.GetCustomAttribute<FeatureAttribute>();
        if (feature is { VectorLength: > 0 })
            return feature.VectorLength;
        var vector = property.CustomAttributes.FirstOrDefault(a => a.AttributeType == typeof(VectorTypeAttribute));
        return vector?.ConstructorArguments is [{ Value: int size }, ..] && size > 0 ? size : null;
    }
}
