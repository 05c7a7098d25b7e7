using System.Linq.Expressions;
using System.Reflection;

namespace AiWorkflows.Features;

/// <summary>The expressions from which the codec of a row type is compiled.</summary>
internal static class CodecExpressions
{
    /// <summary>The canonical value of a column as an expression, or null where every value of its type is canonical.</summary>
    public static Expression? Canonicalize(FeatureColumn column, Expression value)
    {
        var (nullable, precision, scale, length) = (Expression.Constant(column.IsNullable), Expression.Constant(column.Precision), Expression.Constant(column.Scale), Expression.Constant(column.MaxLength));
        return column.Type switch
        {
            ColumnType.Text when column.Role == ColumnRole.Key => Call(typeof(Canonical), nameof(Canonical.KeyText), value, length),
            ColumnType.Text => Call(typeof(Canonical), nameof(Canonical.Text), value, nullable, length),
            ColumnType.Single => Call(typeof(Canonical), nameof(Canonical.Single), value),
            ColumnType.Double => Call(typeof(Canonical), nameof(Canonical.Double), value),
            ColumnType.Decimal => Call(typeof(Canonical), nameof(Canonical.Decimal), value, precision, scale),
            ColumnType.Timestamp => Call(typeof(Canonical), nameof(Canonical.Time), value),
            ColumnType.Vector => Call(typeof(Canonical), nameof(Canonical.Vector), value, nullable, length),
            ColumnType.Enum when Nullable.GetUnderlyingType(value.Type) is { } underlying => Generic(typeof(Canonical), nameof(Canonical.OptionalEnumeration), underlying, value),
            ColumnType.Enum => Generic(typeof(Canonical), nameof(Canonical.Enumeration), value.Type, value),
            _ => null,
        };
    }

    /// <summary>Whether canonicalisation can give another value than it got (texts and enums are only checked).</summary>
    public static bool CanChange(FeatureColumn column) =>
        column.Type is ColumnType.Single or ColumnType.Double or ColumnType.Decimal or ColumnType.Timestamp or ColumnType.Vector;

    public static Expression Same(Expression a, Expression b) => Call(typeof(Canonical), nameof(Canonical.Same), a, b);

    public static Expression Put(FeatureColumn column, ParameterExpression sink, int ordinal, Expression value)
    {
        if (Nullable.GetUnderlyingType(value.Type) is not null)
            return Expression.IfThenElse(
                Expression.Property(value, "HasValue"),
                Put(column, sink, ordinal, Expression.Call(value, value.Type.GetMethod("GetValueOrDefault", Type.EmptyTypes)!)),
                Expression.Call(sink, nameof(ICellSink.Null), null, Expression.Constant(ordinal)));
        var at = Expression.Constant(ordinal);
        return column.Type switch
        {
            ColumnType.Enum => Generic(typeof(CellWriter), nameof(CellWriter.PutEnum), value.Type, sink, at, value),
            ColumnType.Decimal => Call(typeof(CellWriter), nameof(CellWriter.PutDecimal), sink, at, value, Expression.Constant(Canonical.PowerOfTen(column.Scale))),
            _ => Call(typeof(CellWriter), nameof(CellWriter.Put), sink, at, value),
        };
    }

    /// <summary>Reads a cell. Whether it is missing is asked only where its value is zero or empty, for each question costs a call into the engine.</summary>
    public static Expression Get(FeatureColumn column, ParameterExpression cursor, int ordinal, Type type)
    {
        var at = Expression.Constant(ordinal);
        var read = Expression.Call(cursor, column.Kind switch
        {
            CellKind.Integer => nameof(IRowCursor.Integer),
            CellKind.Real => nameof(IRowCursor.Real),
            CellKind.Text => nameof(IRowCursor.Text),
            _ => nameof(IRowCursor.Blob),
        }, null, at);
        if (Missing(type) is not { } missing || column.Role != ColumnRole.Feature)
            return FromCell(column, read, type);
        var cell = Expression.Variable(read.Type);
        var isEmpty = column.Kind switch
        {
            CellKind.Integer => Expression.Equal(cell, Expression.Constant(0L)),
            CellKind.Real => Expression.Equal(cell, Expression.Constant(0d)),
            _ => Expression.Equal(Expression.Property(cell, "Length"), Expression.Constant(0)),
        };
        return Expression.Block(
            [cell],
            Expression.Assign(cell, read),
            Expression.Condition(Expression.AndAlso(isEmpty, Expression.Call(cursor, nameof(IRowCursor.IsNull), null, at)), missing, FromCell(column, cell, type)));
    }

    private static Expression FromCell(FeatureColumn column, Expression cell, Type type)
    {
        var underlying = Nullable.GetUnderlyingType(type) ?? type;
        Expression value = column.Type switch
        {
            ColumnType.Text => cell,
            ColumnType.Boolean => Expression.NotEqual(cell, Expression.Constant(0L)),
            ColumnType.Decimal => Call(typeof(CellReader), nameof(CellReader.Decimal), cell, Expression.Constant(column.Scale)),
            ColumnType.Enum => Generic(typeof(CellReader), nameof(CellReader.Enumeration), underlying, cell),
            ColumnType.Timestamp => Call(typeof(CellReader), nameof(CellReader.Time), cell),
            ColumnType.Date => Call(typeof(CellReader), nameof(CellReader.Date), cell),
            ColumnType.Guid => Call(typeof(CellReader), nameof(CellReader.Guid), cell),
            ColumnType.Vector => Call(typeof(CellReader), nameof(CellReader.Vector), cell),
            _ => cell.Type == underlying ? cell : Expression.Convert(cell, underlying),
        };
        return value.Type == type ? value : Expression.Convert(value, type);
    }

    private static ConstantExpression? Missing(Type type) =>
        type == typeof(float) ? Expression.Constant(float.NaN)
        : type == typeof(double) ? Expression.Constant(double.NaN)
        : !type.IsValueType || Nullable.GetUnderlyingType(type) is not null ? Expression.Constant(null, type)
        : null;

    public static Expression CompareKey(FeatureColumn column, Expression a, Expression b) => column.Type switch
    {
        ColumnType.Enum => Generic(typeof(KeyOrder), nameof(KeyOrder.CompareEnum), a.Type, a, b),
        ColumnType.Byte or ColumnType.Int16 or ColumnType.Int32 => Call(typeof(KeyOrder), nameof(KeyOrder.Compare), Expression.Convert(a, typeof(long)), Expression.Convert(b, typeof(long))),
        _ => Call(typeof(KeyOrder), nameof(KeyOrder.Compare), a, b),
    };

    public static Expression FeatureEquals(FeatureColumn column, Expression a, Expression b) => column.Type switch
    {
        ColumnType.Vector => Call(typeof(CodecExpressions), nameof(VectorEquals), a, b),
        // Missing equals missing, which == denies for NaN.
        ColumnType.Single or ColumnType.Double => Generic(typeof(CodecExpressions), nameof(ValueEquals), a.Type, a, b),
        ColumnType.Enum or ColumnType.Guid or ColumnType.Date => Generic(typeof(CodecExpressions), nameof(ValueEquals), a.Type, a, b),
        _ => Expression.Equal(a, b),
    };

    internal static bool ValueEquals<T>(T a, T b) => EqualityComparer<T>.Default.Equals(a, b);

    internal static bool VectorEquals(float[]? a, float[]? b) => a is null || b is null ? a == b : a.AsSpan().SequenceEqual(b);

    private static MethodCallExpression Call(Type type, string method, params Expression[] arguments)
    {
        var types = Array.ConvertAll(arguments, a => a.Type);
        var found = type.GetMethod(method, BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static, types)
            ?? throw new InvalidOperationException($"{type.Name}.{method} does not take ({string.Join(", ", types.Select(t => t.Name))}).");
        return Expression.Call(found, arguments);
    }

    private static MethodCallExpression Generic(Type type, string method, Type argument, params Expression[] arguments) =>
        Expression.Call(type.GetMethod(method, BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(argument), arguments);
}
