using System.Linq.Expressions;
using System.Reflection;

namespace AiWorkflows.Features;

/// <summary>Checks the joins and the label of a view, and compiles them.</summary>
internal sealed class JoinFactory<TSpine, TExample> where TSpine : class where TExample : class
{
    private readonly FeatureViewBuilder<TSpine, TExample> _builder;
    private readonly List<IReadOnlyList<Expression>> _parts = [];
    private readonly IReadOnlyList<Expression>? _labelParts;

    public JoinFactory(string view, FeatureViewBuilder<TSpine, TExample> builder, List<string> errors)
    {
        _builder = builder;
        var (before, schemas) = (errors.Count, new List<GroupSchema>());
        for (var i = 0; i < builder.Joins.Count; i++)
        {
            var join = builder.Joins[i];
            var where = $"{view}, join {i + 1} ({join.Row.Name})";
            if (join.MaxAge < TimeSpan.Zero)
                errors.Add($"{where}: maxAge is {join.MaxAge}; it is the largest age of a row, so not negative.");
            if (Parse(join.Row, join.On, where, errors) is not var (schema, parts))
                continue;
            schemas.Add(schema);
            _parts.Add(parts);
        }
        if (builder.Labels.Count > 1)
            errors.Add($"{view}: Define calls Label {builder.Labels.Count} times; a view has one label.");
        foreach (var label in builder.Labels)
        {
            var where = $"{view}, label ({label.Row.Name})";
            if (label.Within <= TimeSpan.Zero)
                errors.Add($"{where}: within is {label.Within}; it is the horizon after the example's event time, so positive.");
            if (LabelValue.TypeOf(label.Value.ReturnType) is null)
                errors.Add($"{where}: the label is {ColumnTypes.Display(label.Value.ReturnType)}; make it bool (binary), float (regression), or an enum or string (classes).");
            if (builder.Joins.Exists(j => j.Row == label.Row))
                errors.Add($"{where}: {label.Row.Name} is joined as a feature as well; what is known before the event and what is known after it belong in two groups.");
            _labelParts = Parse(label.Row, label.On, where, errors)?.Parts;
        }
        Schemas = schemas;
        AreParsed = errors.Count == before;
    }

    public IReadOnlyList<GroupSchema> Schemas { get; }

    public bool AreParsed { get; }

    /// <summary>What the joins read of the spine row; null for all.</summary>
    public IReadOnlySet<string>? SpineProperties() => _parts.Select((parts, i) => Used(parts, _builder.Joins[i].On.Parameters[0]))
        .Aggregate((IReadOnlySet<string>?)new HashSet<string>(), ViewFactory<TSpine, TExample>.Union);

    /// <summary>What the label reads of the spine row; null for all.</summary>
    public IReadOnlySet<string>? LabelSpineProperties() => _labelParts is null ? new HashSet<string>() : Used(_labelParts, _builder.Labels[0].On.Parameters[0]);

    /// <summary>The joins by group.</summary>
    public IReadOnlyList<GroupJoins<TSpine>> Groups(ExampleProjection<TSpine, TExample> projection) =>
        [.. Enumerable.Range(0, Schemas.Count).GroupBy(i => Schemas[i].Row).Select(group => Call<GroupJoins<TSpine>>(nameof(CreateGroup), Schemas[group.First()], group.ToArray(), projection))];

    public LabelPlan<TSpine>? Label() => _labelParts is null ? null : Call<LabelPlan<TSpine>>(nameof(CreateLabel), GroupSchema.Of(_builder.Labels[0].Row));

    private static (GroupSchema Schema, IReadOnlyList<Expression> Parts)? Parse(Type row, LambdaExpression on, string where, List<string> errors)
    {
        var own = new List<string>();
        var schema = GroupSchema.TryCreate(row, own);
        FeatureDefinitions.AddNew(errors, own);
        if (schema is null)
            return null;
        if (schema.Keys.Count > JoinKey.MostKeys)
            errors.Add($"{where}: {row.Name} has {schema.Keys.Count} keys; a join takes at most {JoinKey.MostKeys}.");
        return JoinParser.TryParse(on, schema, where, errors) is { } parts ? (GroupSchema.Of(row), parts) : null;
    }

    private static IReadOnlySet<string>? Used(IReadOnlyList<Expression> parts, ParameterExpression spine) =>
        parts.Select(p => ExpressionUse.Properties(p, spine)).Aggregate((IReadOnlySet<string>?)new HashSet<string>(), ViewFactory<TSpine, TExample>.Union);

    private T Call<T>(string method, GroupSchema schema, params object[] arguments) =>
        (T)GetType().GetMethod(method, BindingFlags.NonPublic | BindingFlags.Instance)!.MakeGenericMethod(schema.Row, JoinKey.TypeOf(schema)).Invoke(this, [schema, .. arguments])!;

    private TypedGroupJoins<TSpine, TRow, TKey> CreateGroup<TRow, TKey>(GroupSchema schema, int[] joins, ExampleProjection<TSpine, TExample> projection)
        where TRow : class where TKey : notnull => new()
        {
            Schema = schema,
            Properties = joins.Select(i => projection.JoinProperties[i]).Aggregate((IReadOnlySet<string>?)new HashSet<string>(), ViewFactory<TSpine, TExample>.Union),
            MaxAge = joins.Max(i => Timestamps.ToMicros(_builder.Joins[i].MaxAge)),
            Joins = [.. joins.Select(i => new JoinPlan<TSpine, TKey>(
                i, projection.Aliases[i], JoinKey.OfSpine<TSpine, TKey>(_parts[i], _builder.Joins[i].On.Parameters[0]), Timestamps.ToMicros(_builder.Joins[i].MaxAge),
                _builder.Joins[i].StrictlyBefore, _builder.Joins[i].Known == Known.AsPublished))],
        };

    private TypedLabelPlan<TSpine, TRow, TKey> CreateLabel<TRow, TKey>(GroupSchema schema) where TRow : class where TKey : notnull
    {
        var label = _builder.Labels[0];
        return new()
        {
            Schema = schema,
            LabelType = LabelValue.TypeOf(label.Value.ReturnType)!,
            Within = label.Within,
            Key = JoinKey.OfSpine<TSpine, TKey>(_labelParts!, label.On.Parameters[0]),
            Value = LabelValue.Compile<TRow>(label.Value),
            Properties = ExpressionUse.Properties(label.Value.Body, label.Value.Parameters[0]),
        };
    }
}
