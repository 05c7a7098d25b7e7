using System.Linq.Expressions;
using System.Reflection;

namespace AiWorkflows.Features;

/// <summary>The one <c>Select</c> of a view: compiled, with the lineage of every feature and the columns that have to be read.</summary>
internal sealed class ExampleProjection<TSpine, TExample> where TSpine : class where TExample : class
{
    private readonly string _view;
    private readonly IReadOnlyList<GroupSchema> _joins;
    private readonly List<string> _errors;
    private readonly ParameterExpression _spine;
    private readonly ParameterExpression _rows = Expression.Parameter(typeof(object?[]), "rows");
    private readonly List<LineageEdge> _lineage = [];
    private readonly HashSet<string>?[] _properties;
    private readonly string?[] _aliases;
    private Func<TExample>? _allMissing;

    private ExampleProjection(string view, IReadOnlyList<GroupSchema> joins, Expression<Func<TSpine, TExample>> select, List<string> errors)
    {
        (_view, _joins, _errors, _spine) = (view, joins, errors, select.Parameters[0]);
        _properties = new HashSet<string>?[joins.Count];
        for (var i = 0; i < joins.Count; i++)
            _properties[i] = [];
        _aliases = new string?[joins.Count];
        SpineProperties = ExpressionUse.Properties(select.Body, _spine);
    }

    /// <summary>Builds an example from a spine row and the joined rows, null where there is none.</summary>
    public Func<TSpine, object?[], TExample> Build { get; private set; } = null!;

    public IReadOnlyList<LineageEdge> Lineage => _lineage;

    /// <summary>The name of the variable that held each join.</summary>
    public IReadOnlyList<string> Aliases => _aliases!;

    /// <summary>For each join the properties that are read; null for all.</summary>
    public IReadOnlyList<IReadOnlySet<string>?> JoinProperties => _properties;

    /// <summary>The properties of the spine row that are read; null for all.</summary>
    public IReadOnlySet<string>? SpineProperties { get; }

    /// <summary>A feature that cannot be missing; null where all of them can.</summary>
    public string? NeverMissing { get; private set; }

    /// <summary>The example of which nothing is known; null where a feature cannot be missing.</summary>
    public TExample? AllMissing() => _allMissing?.Invoke();

    public static ExampleProjection<TSpine, TExample>? TryCreate(
        string view, IReadOnlyList<GroupSchema> joins, Expression<Func<TSpine, TExample>> select, List<string> errors)
    {
        var before = errors.Count;
        var projection = new ExampleProjection<TSpine, TExample>(view, joins, select, errors);
        var body = select.Body switch
        {
            NewExpression created => projection.Rewrite(created),
            MemberInitExpression init => init.Update(
                projection.Rewrite(init.NewExpression),
                init.Bindings.OfType<MemberAssignment>().Select(b => b.Update(projection.Argument(b.Member.Name, ((PropertyInfo)b.Member).PropertyType, b.Expression)))),
            _ => (Expression?)null,
        };
        if (body is null)
        {
            errors.Add($"{view}: Select must be '{select.Parameters[0].Name} => new {typeof(TExample).Name}(…)'; move other code into the arguments.");
            return null;
        }
        for (var i = 0; i < joins.Count; i++)
            if (projection._aliases[i] is null)
                errors.Add($"{view}: join {i + 1} ({joins[i].Row.Name}) is never read in Select; remove it, or use its Row.");
        foreach (var clash in projection._aliases.Where(a => a is not null).GroupBy(a => a).Where(g => g.Count() > 1 || g.Key == "spine"))
            errors.Add($"{view}: '{clash.Key}' cannot name {(clash.Key == "spine" ? "a join, for it names the spine" : "two joins")}; rename the variable.");
        if (errors.Count > before)
            return null;
        projection.Build = Expression.Lambda<Func<TSpine, object?[], TExample>>(body, projection._spine, projection._rows).Compile();
        projection._allMissing = projection.CompileAllMissing(select.Body);
        return projection;
    }

    private Func<TExample>? CompileAllMissing(Expression body)
    {
        var (created, init) = body is MemberInitExpression both ? (both.NewExpression, both) : ((NewExpression)body, null);
        Expression Missing(string name, Type type)
        {
            if (ExampleProjection<TSpine, TExample>.Missing(type) is { } missing)
                return missing;
            NeverMissing ??= name;
            return Expression.Default(type);
        }
        var empty = created.Constructor is null ? created
            : (Expression)created.Update(created.Constructor.GetParameters().Select(p => Missing(PropertyName(p.Name!), p.ParameterType)));
        if (init is not null)
            empty = init.Update((NewExpression)empty, init.Bindings.OfType<MemberAssignment>().Select(b => b.Update(Missing(b.Member.Name, ((PropertyInfo)b.Member).PropertyType))));
        return NeverMissing is null ? Expression.Lambda<Func<TExample>>(empty).Compile() : null;
    }

    private NewExpression Rewrite(NewExpression created)
    {
        var parameters = created.Constructor?.GetParameters() ?? [];
        return created.Update(created.Arguments.Select((a, i) => Argument(PropertyName(parameters[i].Name!), parameters[i].ParameterType, a)));
    }

    private static string PropertyName(string parameter) =>
        typeof(TExample).GetProperties().FirstOrDefault(p => string.Equals(p.Name, parameter, StringComparison.OrdinalIgnoreCase))?.Name ?? parameter;

    /// <summary>One feature: where a row that it uses is missing, the feature is missing, unless the expression asks for itself.</summary>
    private Expression Argument(string feature, Type type, Expression value)
    {
        var uses = new JoinFinder(this, feature);
        uses.Visit(value);
        AddLineage(feature, value, uses);
        var body = new JoinRewriter(this, uses.Guarded).Visit(value);
        var unguarded = uses.Reads.Select(r => r.Join).Distinct().Where(j => !uses.Guarded.Contains(j)).ToArray();
        if (unguarded.Length == 0)
            return body;
        if (Missing(type) is not { } missing)
        {
            var alias = _aliases[unguarded[0]];
            _errors.Add($"{_view}: {typeof(TExample).Name}.{feature} is {ColumnTypes.Display(type)}, which cannot be missing, but reads join '{alias}'; write '{alias}.Exists ? … : fallback', or make it float or {type.Name}?.");
            return body;
        }
        var none = unguarded.Select(IsNull).Aggregate(Expression.OrElse);
        return Expression.Condition(none, missing, body.Type == type ? body : Expression.Convert(body, type));
    }

    private void AddLineage(string feature, Expression value, JoinFinder uses)
    {
        foreach (var (join, property) in uses.Reads.Distinct())
        {
            if (property is null)
                _properties[join] = null;
            else
                _properties[join]?.Add(property);
            foreach (var column in _joins[join].Columns.Where(c => property is null || c.Property == property))
                AddEdge(new(feature, _aliases[join]!, _joins[join].Name, _joins[join].Version, column.Name));
        }
        // What only asks whether there is a row depends on when rows were written.
        foreach (var join in uses.Guarded.Where(j => !uses.Reads.Exists(r => r.Join == j)))
            AddEdge(new(feature, _aliases[join]!, _joins[join].Name, _joins[join].Version, _joins[join].EventTime.Name));
        var spine = GroupSchema.Of(typeof(TSpine));
        var properties = ExpressionUse.Properties(value, _spine);
        foreach (var column in spine.Columns.Where(c => properties is null || properties.Contains(c.Property)))
            AddEdge(new(feature, "spine", spine.Name, spine.Version, column.Name));
    }

    private void AddEdge(LineageEdge edge)
    {
        if (!_lineage.Contains(edge))
            _lineage.Add(edge);
    }

    private static ConstantExpression? Missing(Type type) =>
        type == typeof(float) ? Expression.Constant(float.NaN)
        : type == typeof(double) ? Expression.Constant(double.NaN)
        : !type.IsValueType || Nullable.GetUnderlyingType(type) is not null ? Expression.Constant(null, type)
        : null;

    private BinaryExpression IsNull(int join) => Expression.ReferenceEqual(Expression.ArrayIndex(_rows, Expression.Constant(join)), Expression.Constant(null));

    private UnaryExpression Row(int join) => Expression.Convert(Expression.ArrayIndex(_rows, Expression.Constant(join)), _joins[join].Row);

    /// <summary>The join that an expression stands for; its variable's name becomes the alias.</summary>
    private int? JoinOf(Expression? expression, string? feature)
    {
        if (!ExpressionUse.IsJoined(expression))
            return null;
        if (expression is not MemberExpression member || !ExpressionUse.TryCapture(member, out var joined) || joined is null)
        {
            if (feature is not null)
                _errors.Add($"{_view}: {typeof(TExample).Name}.{feature} uses a join that no local variable holds; write 'var name = view.Join<…>(…)' before Select.");
            return null;
        }
        var index = ExpressionUse.JoinIndex(joined);
        if (index >= _joins.Count || _joins[index].Row != expression.Type.GenericTypeArguments[0])
        {
            if (feature is not null)
                _errors.Add($"{_view}: {typeof(TExample).Name}.{feature} uses a join of another view; declare it in this one.");
            return null;
        }
        _aliases[index] = member.Member.Name;
        return index;
    }

    /// <summary>Finds out which rows an argument reads and which it asks for.</summary>
    private sealed class JoinFinder(ExampleProjection<TSpine, TExample> projection, string feature) : ExpressionVisitor
    {
        /// <summary>Property null: the row as a whole.</summary>
        public List<(int Join, string? Property)> Reads { get; } = [];

        public HashSet<int> Guarded { get; } = [];

        protected override Expression VisitMember(MemberExpression node)
        {
            if (node.Expression is MemberExpression { Member.Name: nameof(Joined<>.Row) } row && ExpressionUse.IsJoined(row.Expression))
            {
                if (projection.JoinOf(row.Expression, feature) is { } join)
                    Reads.Add((join, node.Member.Name));
                return node;
            }
            if (!ExpressionUse.IsJoined(node.Expression))
                return base.VisitMember(node);
            if (projection.JoinOf(node.Expression, feature) is { } other)
            {
                if (node.Member.Name == nameof(Joined<>.Exists))
                    Guarded.Add(other);
                else
                    Reads.Add((other, null));
            }
            return node;
        }
    }

    private sealed class JoinRewriter(ExampleProjection<TSpine, TExample> projection, HashSet<int> guarded) : ExpressionVisitor
    {
        protected override Expression VisitMember(MemberExpression node)
        {
            if (node.Expression is MemberExpression { Member.Name: nameof(Joined<>.Row) } row && projection.JoinOf(row.Expression, null) is { } join)
            {
                var access = Expression.MakeMemberAccess(projection.Row(join), node.Member);
                // Asked for, but perhaps on the other branch: a missing row then reads as missing, or as the default of a type that cannot be.
                return guarded.Contains(join)
                    ? Expression.Condition(projection.IsNull(join), (Expression?)Missing(node.Type) ?? Expression.Default(node.Type), access)
                    : access;
            }
            if (projection.JoinOf(node.Expression, null) is { } other)
                return node.Member.Name == nameof(Joined<>.Exists) ? Expression.Not(projection.IsNull(other)) : projection.Row(other);
            return base.VisitMember(node);
        }
    }
}
