using System.Collections.Concurrent;
using System.Globalization;
using System.Linq.Expressions;
using System.Reflection;

namespace AiWorkflows.Features;

/// <summary>Everything that is done with rows of one type, compiled once: canonical values, cells, order, equality, JSON.</summary>
internal sealed class RowCodec<TRow> where TRow : class
{
    private static readonly Lazy<RowCodec<TRow>> Lazy = new(() => new RowCodec<TRow>(GroupSchema.Of(typeof(TRow))));

    private readonly RowShape _shape;
    private readonly PropertyInfo[] _properties;
    private readonly Func<TRow, TRow> _canonicalize;
    private readonly Action<TRow, ICellSink> _bind;
    private readonly Action<TRow, ICellSink> _bindTombstone;
    private readonly Func<TRow, DateTime> _eventTime;
    private readonly Func<TRow, TRow, int> _compareKeys;
    private readonly Func<TRow, TRow, bool> _sameFeatures;
    private readonly ConcurrentDictionary<string, Func<IRowCursor, TRow>> _materializers = new(StringComparer.Ordinal);

    private RowCodec(GroupSchema schema)
    {
        Schema = schema;
        _shape = RowShape.TryCreate(typeof(TRow), [])!;
        _properties = [.. schema.Columns.Select(c => typeof(TRow).GetProperty(c.Property)!)];
        _canonicalize = CompileCanonicalize();
        _bind = CompileBind(schema.Columns.Count);
        _bindTombstone = CompileBind(1 + schema.Keys.Count);
        var row = Expression.Parameter(typeof(TRow));
        _eventTime = Expression.Lambda<Func<TRow, DateTime>>(Expression.Property(row, _properties[0]), row).Compile();
        _compareKeys = CompileCompareKeys();
        _sameFeatures = CompileSameFeatures();
    }

    /// <summary>The codec of a type that has passed validation.</summary>
    public static RowCodec<TRow> Instance => Lazy.Value;

    public GroupSchema Schema { get; }

    /// <summary>The row with canonical values; the same instance where nothing had to change.</summary>
    /// <exception cref="StageFailedException">A value cannot be stored; the message names group, row and column.</exception>
    public TRow Canonicalize(TRow row)
    {
        if (row is null)
            throw new StageFailedException($"{Schema}: the pipeline returned null instead of a row.");
        try
        {
            return _canonicalize(row);
        }
        catch (ValueRefusedException)
        {
            throw Refusal(row);
        }
    }

    /// <summary>Microseconds since 1970.</summary>
    public long EventTime(TRow row) => Timestamps.ToMicros(_eventTime(row));

    /// <summary>Hands every cell to the sink, in the order of the schema's columns.</summary>
    public void Bind(TRow row, ICellSink sink) => _bind(row, sink);

    /// <summary>Event time and keys of the row, and null for everything else.</summary>
    public void BindTombstone(TRow row, ICellSink sink)
    {
        _bindTombstone(row, sink);
        for (var i = 1 + Schema.Keys.Count; i < Schema.Columns.Count; i++)
            sink.Null(i);
    }

    /// <summary>A function that builds rows from a cursor over <paramref name="columns"/>; the other properties keep their defaults. Compiled once for each set of columns.</summary>
    public Func<IRowCursor, TRow> Materializer(IReadOnlyList<FeatureColumn> columns) =>
        _materializers.GetOrAdd(string.Join(',', columns.Select(c => c.Name)), (_, wanted) => CompileMaterializer(wanted), columns);

    private Func<IRowCursor, TRow> CompileMaterializer(IReadOnlyList<FeatureColumn> columns)
    {
        var cursor = Expression.Parameter(typeof(IRowCursor));
        var body = _shape.New(p =>
        {
            for (var i = 0; i < columns.Count; i++)
                if (columns[i].Property == p.Name)
                    return CodecExpressions.Get(columns[i], cursor, i, p.PropertyType);
            return null;
        });
        return Expression.Lambda<Func<IRowCursor, TRow>>(body, cursor).Compile();
    }

    /// <summary>Canonical order: event time, then keys by UTF-8 bytes.</summary>
    public int Compare(TRow a, TRow b)
    {
        var byTime = _eventTime(a).Ticks.CompareTo(_eventTime(b).Ticks);
        return byTime != 0 ? byTime : _compareKeys(a, b);
    }

    public int CompareKeys(TRow a, TRow b) => _compareKeys(a, b);

    /// <summary>Whether two canonical rows of one key and event time say the same.</summary>
    public bool SameFeatures(TRow a, TRow b) => _sameFeatures(a, b);

    /// <summary>The row as a JSON object by column name.</summary>
    public string Json(TRow row) => JsonCells.Write(Schema.Columns, sink => _bind(row, sink));

    /// <summary>The keys as a JSON array, as the prediction log and the command line name an entity.</summary>
    public string KeyJson(TRow row) => JsonCells.WriteKeys(Schema, sink => _bindTombstone(row, sink));

    /// <summary>The row back from <see cref="Json"/>.</summary>
    public TRow FromJson(string json)
    {
        using var cursor = new JsonRowCursor(Schema.Columns, json);
        return Materializer(Schema.Columns)(cursor);
    }

    /// <summary>Keys and event time for an error message, whatever they hold.</summary>
    public string Describe(TRow row)
    {
        var keys = _properties.Skip(1).Take(Schema.Keys.Count).Select(p => p.GetValue(row)).Select(v => v is string s ? $"\"{s}\"" : Convert.ToString(v, CultureInfo.InvariantCulture) ?? "null");
        var time = _eventTime(row);
        return $"row [{string.Join(", ", keys)}] at {(time.Kind == DateTimeKind.Utc ? Timestamps.Iso(time) : $"{time:yyyy-MM-dd'T'HH:mm:ss.FFFFFF} ({time.Kind})")}";
    }

    /// <summary>Finds the column that refused its value: on the failing path only, so that the hot one carries no bookkeeping.</summary>
    private StageFailedException Refusal(TRow row)
    {
        for (var i = 0; i < _properties.Length; i++)
        {
            var parameter = Expression.Parameter(typeof(TRow));
            if (CodecExpressions.Canonicalize(Schema.Columns[i], Expression.Property(parameter, _properties[i])) is not { } canonical)
                continue;
            try
            {
                Expression.Lambda<Action<TRow>>(canonical, parameter).Compile(preferInterpretation: true)(row);
            }
            catch (ValueRefusedException e)
            {
                return new StageFailedException($"{Schema}: {Describe(row)}, column {Schema.Columns[i].Name}: {e.Message}.", e);
            }
        }
        return new StageFailedException($"{Schema}: {Describe(row)} cannot be stored.");
    }

    private Func<TRow, TRow> CompileCanonicalize()
    {
        var row = Expression.Parameter(typeof(TRow));
        var changed = Expression.Variable(typeof(bool));
        var variables = new Dictionary<string, ParameterExpression>();
        var steps = new List<Expression>();
        for (var i = 0; i < _properties.Length; i++)
        {
            var (column, value) = (Schema.Columns[i], Expression.Property(row, _properties[i]));
            if (CodecExpressions.Canonicalize(column, value) is not { } canonical)
                continue;
            if (!CodecExpressions.CanChange(column))
            {
                steps.Add(canonical);
                continue;
            }
            var variable = variables[column.Property] = Expression.Variable(value.Type);
            steps.Add(Expression.Assign(variable, canonical));
            steps.Add(Expression.OrAssign(changed, Expression.Not(CodecExpressions.Same(variable, value))));
        }
        var copy = _shape.New(p => variables.TryGetValue(p.Name, out var v) ? v : Expression.Property(row, p));
        steps.Add(Expression.Condition(changed, copy, row, typeof(TRow)));
        return Expression.Lambda<Func<TRow, TRow>>(Expression.Block([changed, .. variables.Values], steps), row).Compile();
    }

    private Action<TRow, ICellSink> CompileBind(int columns)
    {
        var (row, sink) = (Expression.Parameter(typeof(TRow)), Expression.Parameter(typeof(ICellSink)));
        var steps = Schema.Columns.Take(columns).Select((c, i) => CodecExpressions.Put(c, sink, i, Expression.Property(row, _properties[i])));
        return Expression.Lambda<Action<TRow, ICellSink>>(Expression.Block(typeof(void), steps), row, sink).Compile();
    }

    private Func<TRow, TRow, int> CompileCompareKeys()
    {
        var (a, b) = (Expression.Parameter(typeof(TRow)), Expression.Parameter(typeof(TRow)));
        var result = Expression.Variable(typeof(int));
        Expression body = Expression.Constant(0);
        for (var i = Schema.Keys.Count; i >= 1; i--)
        {
            var compare = CodecExpressions.CompareKey(Schema.Columns[i], Expression.Property(a, _properties[i]), Expression.Property(b, _properties[i]));
            body = i == Schema.Keys.Count
                ? compare
                : Expression.Condition(Expression.NotEqual(Expression.Assign(result, compare), Expression.Constant(0)), result, body);
        }
        return Expression.Lambda<Func<TRow, TRow, int>>(Expression.Block([result], body), a, b).Compile();
    }

    private Func<TRow, TRow, bool> CompileSameFeatures()
    {
        var (a, b) = (Expression.Parameter(typeof(TRow)), Expression.Parameter(typeof(TRow)));
        Expression body = Expression.Constant(true);
        for (var i = _properties.Length - 1; i > Schema.Keys.Count; i--)
            body = Expression.AndAlso(CodecExpressions.FeatureEquals(Schema.Columns[i], Expression.Property(a, _properties[i]), Expression.Property(b, _properties[i])), body);
        return Expression.Lambda<Func<TRow, TRow, bool>>(body, a, b).Compile();
    }
}
