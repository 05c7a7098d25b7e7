using System.Linq.Expressions;
using System.Reflection;

namespace AiWorkflows.Features;

/// <summary>Reads <c>events.By(…).Every(…).Select(…)</c> into a plan, or says what is wrong with it.</summary>
internal sealed class AggregationParser<TEvent, TKey, TRow> where TEvent : class where TRow : class where TKey : notnull
{
    private readonly string _pipeline;
    private readonly AggregationBuilder<TEvent, TRow> _builder;
    private readonly List<string> _errors;
    private readonly ExpressionText _text = new();
    private readonly List<Func<PaneStore<TEvent>>> _components = [];
    private readonly Dictionary<string, int> _componentByText = [];
    private readonly List<PlannedSpan> _spans = [];
    private readonly List<PlannedCall> _calls = [];
    private readonly HashSet<string> _properties = [];
    private bool _readsWholeEvent;
    private int _results;

    private AggregationParser(string pipeline, AggregationBuilder<TEvent, TRow> builder, List<string> errors) =>
        (_pipeline, _builder, _errors) = (pipeline, builder, errors);

    public static AggregationPlan<TEvent, TKey, TRow>? TryParse(string pipeline, AggregationBuilder<TEvent, TRow> builder, List<string> errors) =>
        new AggregationParser<TEvent, TKey, TRow>(pipeline, builder, errors).Parse();

    private AggregationPlan<TEvent, TKey, TRow>? Parse()
    {
        var before = _errors.Count;
        var keyOf = (Expression<Func<TEvent, TKey>>)_builder.Key!;
        var (group, key, end, values) = (_builder.Row!.Parameters[0], Expression.Parameter(typeof(TKey)), Expression.Parameter(typeof(DateTime)), Expression.Parameter(typeof(double[])));
        CheckEventTime(group);
        var rewriter = new Rewriter(this, group, key, end, values);
        var body = rewriter.Visit(_builder.Row.Body)!;
        if (rewriter.UsesGroup)
            _errors.Add($"{_pipeline}: Select uses '{group.Name}' other than by Key, End and Last(…); use only those.");
        if (_calls.Count == 0 && _errors.Count == before)
            _errors.Add($"{_pipeline}: Select aggregates nothing; use {group.Name}.Last(span) with Count, Mean or another function.");
        Use(keyOf.Body, keyOf.Parameters[0]);
        if (_errors.Count > before)
            return null;
        return new AggregationPlan<TEvent, TKey, TRow>
        {
            Hop = _builder.Hop,
            SpanPanes = [.. _spans.Select(s => s.Panes).Distinct().Order()],
            Components = _components,
            Spans = _spans,
            Calls = _calls,
            Results = _results,
            Key = keyOf.Compile(),
            HasNoKey = CompileHasNoKey(keyOf),
            Row = Expression.Lambda<Func<TKey, DateTime, double[], TRow>>(body, key, end, values).Compile(),
            EventProperties = _readsWholeEvent ? null : _properties,
        };
    }

    /// <summary>A row at another time than the end of its hop would claim to be known earlier, or not be in canonical order.</summary>
    private void CheckEventTime(ParameterExpression group)
    {
        var time = GroupSchema.Of(typeof(TRow)).EventTime.Property;
        var value = _builder.Row!.Body switch
        {
            NewExpression created => Argument(created, time),
            MemberInitExpression init => init.Bindings.OfType<MemberAssignment>().FirstOrDefault(b => b.Member.Name == time)?.Expression ?? Argument(init.NewExpression, time),
            _ => null,
        };
        if (_builder.Row.Body is not (NewExpression or MemberInitExpression))
            _errors.Add($"{_pipeline}: Select must be '{group.Name} => new {typeof(TRow).Name}(…)'; move other code into the arguments.");
        else if (value is not MemberExpression { Member.Name: nameof(Sliding<,>.End) } member || member.Expression != group)
            _errors.Add($"{_pipeline}: the event time {typeof(TRow).Name}.{time} must be {group.Name}.End, the moment from which the row is known.");
    }

    private static Expression? Argument(NewExpression created, string property)
    {
        var parameters = created.Constructor!.GetParameters();
        var index = Array.FindIndex(parameters, p => string.Equals(p.Name, property, StringComparison.OrdinalIgnoreCase));
        return index < 0 ? null : created.Arguments[index];
    }

    private int Plan(MethodCallExpression call, TimeSpan span)
    {
        if (span < _builder.Hop || span.Ticks % _builder.Hop.Ticks != 0)
        {
            _errors.Add($"{_pipeline}: Last({span}) is no multiple of Every({_builder.Hop}); change one of them.");
            return 0;
        }
        var panes = (int)(span.Ticks / _builder.Hop.Ticks);
        var arguments = call.Method.GetParameters().Select((p, i) => (p.Name, Value: call.Arguments[i])).ToDictionary(a => a.Name!, a => a.Value);
        var where = Delegate<Func<TEvent, bool>>(arguments["where"]);
        var whereText = _text.Of(arguments["where"]);
        var name = call.Method.Name;
        int Span(string kind, string text, int length, Func<PaneStore<TEvent>> create) => AddSpan($"{kind}|{text}|{whereText}", panes, length, create);

        if (name == nameof(AggregationSpan<>.Count))
            _calls.Add(new(name, Span("count", "", 1, () => new CountStore<TEvent>(where)), 0));
        else if (name == nameof(AggregationSpan<>.Share))
        {
            var of = Delegate<Func<TEvent, bool>>(arguments["of"])!;
            _calls.Add(new(
                name,
                Span("count", _text.Of(arguments["of"]), 1, () => new CountStore<TEvent>(where is null ? of : e => where(e) && of(e))),
                Span("count", "", 1, () => new CountStore<TEvent>(where))));
        }
        else if (name == nameof(AggregationSpan<>.DistinctCount))
        {
            var of = Delegate<Func<TEvent, object?>>(arguments["of"])!;
            _calls.Add(new(name, Span("distinct", _text.Of(arguments["of"]), 1, () => new DistinctStore<TEvent>(of, where)), 0));
        }
        else
        {
            var of = Delegate<Func<TEvent, double>>(arguments["of"])!;
            var text = _text.Of(arguments["of"]);
            _calls.Add(new(name, name switch
            {
                nameof(AggregationSpan<>.Sum) or nameof(AggregationSpan<>.Mean) => Span("sum", text, 2, () => new SumStore<TEvent>(of, where)),
                nameof(AggregationSpan<>.Min) or nameof(AggregationSpan<>.Max) => Span("extremes", text, 2, () => new ExtremesStore<TEvent>(of, where)),
                nameof(AggregationSpan<>.First) or nameof(AggregationSpan<>.Last) => Span("ends", text, 2, () => new EndsStore<TEvent>(of, where)),
                nameof(AggregationSpan<>.StandardDeviation) => Span("moments", text, 3, () => new MomentsStore<TEvent>(of, where)),
                _ => throw new InvalidOperationException($"{name} is not planned."),
            }, 0));
        }
        return _calls.Count - 1;
    }

    private int AddSpan(string component, int panes, int length, Func<PaneStore<TEvent>> create)
    {
        if (!_componentByText.TryGetValue(component, out var index))
        {
            _componentByText[component] = index = _components.Count;
            _components.Add(create);
        }
        foreach (var known in _spans)
            if (known.Component == index && known.Panes == panes)
                return known.Offset;
        _spans.Add(new(index, panes, _results, length));
        _results += length;
        return _results - length;
    }

    private TDelegate? Delegate<TDelegate>(Expression argument) where TDelegate : Delegate
    {
        if (argument is LambdaExpression lambda)
        {
            Use(lambda.Body, lambda.Parameters[0]);
            return (TDelegate)lambda.Compile();
        }
        if (!ExpressionUse.TryEvaluate(argument, out var value))
        {
            _errors.Add($"{_pipeline}: '{argument}' depends on the group; selectors see only the event.");
            return null;
        }
        _readsWholeEvent |= value is not null;
        return (TDelegate?)value;
    }

    private void Use(Expression body, ParameterExpression parameter)
    {
        if (ExpressionUse.Properties(body, parameter) is { } properties)
            _properties.UnionWith(properties);
        else
            _readsWholeEvent = true;
    }

    private static Func<TEvent, bool> CompileHasNoKey(Expression<Func<TEvent, TKey>> key)
    {
        IEnumerable<Expression> parts = key.Body is NewExpression created && key.Body.Type != typeof(string) ? created.Arguments : [key.Body];
        var tests = parts.Where(p => !p.Type.IsValueType || Nullable.GetUnderlyingType(p.Type) is not null).Select(p => (Expression)Expression.Equal(p, Expression.Constant(null, p.Type)));
        return Expression.Lambda<Func<TEvent, bool>>(tests.Aggregate((Expression)Expression.Constant(false), Expression.OrElse), key.Parameters[0]).Compile();
    }

    private sealed class Rewriter(AggregationParser<TEvent, TKey, TRow> parser, ParameterExpression group, Expression key, Expression end, Expression values) : ExpressionVisitor
    {
        public bool UsesGroup { get; private set; }

        protected override Expression VisitMember(MemberExpression node) =>
            node.Expression != group ? base.VisitMember(node) : node.Member.Name == nameof(Sliding<,>.Key) ? key : end;

        protected override Expression VisitParameter(ParameterExpression node)
        {
            UsesGroup |= node == group;
            return node;
        }

        protected override Expression VisitMethodCall(MethodCallExpression node)
        {
            if (node.Object is not MethodCallExpression last || last.Object != group || node.Method.DeclaringType != typeof(AggregationSpan<TEvent>))
                return base.VisitMethodCall(node);
            if (!ExpressionUse.TryEvaluate(last.Arguments[0], out var span))
            {
                parser._errors.Add($"{parser._pipeline}: the span in '{node}' depends on the group; spans are fixed.");
                return Expression.Default(node.Type);
            }
            var call = parser.Plan(node, (TimeSpan)span!);
            return Expression.Convert(Expression.ArrayIndex(values, Expression.Constant(call)), node.Type);
        }
    }
}
