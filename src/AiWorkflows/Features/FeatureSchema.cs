using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace AiWorkflows.Features;

/// <summary>The C# type of a column, as the store knows it.</summary>
internal enum ColumnType { Text, Boolean, Byte, Int16, Int32, Int64, Single, Double, Decimal, Enum, Timestamp, Date, Guid, Vector }

/// <summary>The four shapes in which a canonical value crosses the border to a store.</summary>
internal enum CellKind { Integer, Real, Text, Blob }

internal enum ColumnRole { Key, EventTime, Feature }

/// <summary>One column of a feature group.</summary>
/// <param name="Name">Column name, snake case.</param>
/// <param name="Property">Name of the property of the record.</param>
/// <param name="MaxLength">Characters of a text, elements of a vector.</param>
internal sealed record FeatureColumn(
    string Name, string Property, ColumnType Type, ColumnRole Role, bool IsNullable, int MaxLength = 0, int Precision = 0, int Scale = 0, string? Description = null)
{
    /// <summary>
    /// Integers: whole numbers, booleans as 0 and 1, timestamps as microseconds since 1970, dates as days since 1970-01-01, decimals times 10^Scale.
    /// Real: float and double, missing for NaN. Text: strings, enums by name. Blob: Guid as 16 big-endian bytes, vectors as little-endian floats.
    /// </summary>
    public CellKind Kind => Type switch
    {
        ColumnType.Text or ColumnType.Enum => CellKind.Text,
        ColumnType.Single or ColumnType.Double => CellKind.Real,
        ColumnType.Guid or ColumnType.Vector => CellKind.Blob,
        _ => CellKind.Integer,
    };
}

/// <summary>The schema of a feature group, read from its record type once.</summary>
internal sealed class GroupSchema
{
    /// <summary>The longest clustered key of SQL Server; the same everywhere, so that a group fits every engine.</summary>
    private const int LongestKey = 900;

    private GroupSchema(Type row, FeatureGroupAttribute attribute, IReadOnlyList<FeatureColumn> columns)
    {
        Row = row;
        Name = attribute.Name;
        Version = attribute.Version;
        Description = attribute.Description;
        Online = attribute.Online;
        Lag = TimeSpan.FromSeconds(attribute.LagSeconds);
        Columns = columns;
        Keys = [.. columns.Where(c => c.Role == ColumnRole.Key)];
        EventTime = columns.Single(c => c.Role == ColumnRole.EventTime);
        Features = [.. columns.Where(c => c.Role == ColumnRole.Feature)];
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', columns.Select(
            c => $"{c.Name}:{c.Type}:{c.Role}:{(c.IsNullable ? "null" : "")}:{c.MaxLength}:{c.Precision}:{c.Scale}")))))[..16];
    }

    public Type Row { get; }

    public string Name { get; }

    public int Version { get; }

    public string? Description { get; }

    public bool Online { get; }

    public TimeSpan Lag { get; }

    /// <summary>Event time first, then the keys, then the features, each in the order of the record: the column order of the store.</summary>
    public IReadOnlyList<FeatureColumn> Columns { get; }

    public IReadOnlyList<FeatureColumn> Keys { get; }

    public FeatureColumn EventTime { get; }

    public IReadOnlyList<FeatureColumn> Features { get; }

    public string Fingerprint { get; }

    /// <summary>Name and version, as people write it: <c>departures v1</c>.</summary>
    public override string ToString() => $"{Name} v{Version}";

    /// <summary>Reads the schema of <paramref name="row"/>, or adds to <paramref name="errors"/> everything that is wrong with it and returns null.</summary>
    public static GroupSchema? TryCreate(Type row, List<string> errors)
    {
        var before = errors.Count;
        var attribute = row.GetCustomAttribute<FeatureGroupAttribute>();
        if (attribute is null)
            errors.Add($"{row.Name} is used as a feature group but has no [FeatureGroup(\"name\")]; add it to the record.");
        else if (!IsIdentifier(attribute.Name))
            errors.Add($"{row.Name}: '{attribute.Name}' is no name of a feature group; use lower-case letters, digits and underscores, at most 60, starting with a letter.");
        else if (attribute.Version < 1)
            errors.Add($"{row.Name}: version {attribute.Version} of feature group '{attribute.Name}' is not allowed; versions start at 1.");

        var nullability = new NullabilityInfoContext();
        var parameters = row.GetConstructors().SelectMany(c => c.GetParameters()).ToLookup(p => p.Name);
        TAttribute? Find<TAttribute>(PropertyInfo p) where TAttribute : Attribute =>
            p.GetCustomAttribute<TAttribute>() ?? parameters[p.Name].Select(q => q.GetCustomAttribute<TAttribute>()).FirstOrDefault(a => a is not null);

        var columns = new List<FeatureColumn>();
        foreach (var p in row.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.GetIndexParameters().Length == 0))
        {
            var (key, time, feature) = (Find<EntityKeyAttribute>(p), Find<EventTimeAttribute>(p), Find<FeatureAttribute>(p) ?? new FeatureAttribute());
            var underlying = Nullable.GetUnderlyingType(p.PropertyType);
            if (ColumnTypes.Of(underlying ?? p.PropertyType) is not { } type)
            {
                errors.Add($"{row.Name}.{p.Name} is {ColumnTypes.Display(p.PropertyType)}, which no column can hold; use one of {ColumnTypes.Storable}.");
                continue;
            }
            var isNullable = underlying is not null || type is ColumnType.Single or ColumnType.Double
                || (!p.PropertyType.IsValueType && nullability.Create(p).ReadState != NullabilityState.NotNull);
            var role = key is not null ? ColumnRole.Key : time is not null ? ColumnRole.EventTime : ColumnRole.Feature;
            if (key is not null && time is not null)
                errors.Add($"{row.Name}.{p.Name} is both [EntityKey] and [EventTime]; it can be one of them.");
            if (role == ColumnRole.Key && (isNullable || type is ColumnType.Decimal or ColumnType.Timestamp or ColumnType.Vector or ColumnType.Boolean))
                errors.Add($"{row.Name}.{p.Name} is an entity key of type {ColumnTypes.Display(p.PropertyType)}; keys are string, integer, Guid, enum or DateOnly, and never null.");
            if (role == ColumnRole.EventTime && (type != ColumnType.Timestamp || isNullable))
                errors.Add($"{row.Name}.{p.Name} is an event time of type {ColumnTypes.Display(p.PropertyType)}; it must be DateTime (UTC), never null.");
            if (type == ColumnType.Vector && feature.VectorLength < 1)
                errors.Add($"{row.Name}.{p.Name} is float[] of unknown length; add [Feature(VectorLength = n)].");
            if (type == ColumnType.Decimal && (feature.Precision is < 1 or > 18 || feature.Scale < 0 || feature.Scale > feature.Precision))
                errors.Add($"{row.Name}.{p.Name} is decimal({feature.Precision},{feature.Scale}); precision is 1 to 18, scale 0 to precision.");
            columns.Add(new(Naming.Snake(p.Name), p.Name, type, role, isNullable && role == ColumnRole.Feature,
                type switch { ColumnType.Text => key?.MaxLength ?? feature.MaxLength, ColumnType.Enum => 128, ColumnType.Vector => feature.VectorLength, _ => 0 },
                type == ColumnType.Decimal ? feature.Precision : 0, type == ColumnType.Decimal ? feature.Scale : 0, feature.Description));
        }
        if (!columns.Exists(c => c.Role == ColumnRole.Key))
            errors.Add($"{row.Name} has no [EntityKey]; mark at least one property.");
        if (columns.Count(c => c.Role == ColumnRole.EventTime) is var times && times != 1)
            errors.Add($"{row.Name} has {times} properties marked [EventTime]; mark exactly one, of type DateTime (UTC).");
        foreach (var clash in columns.GroupBy(c => c.Name).Where(g => g.Count() > 1))
            errors.Add($"{row.Name}: {string.Join(" and ", clash.Select(c => c.Property))} would both be column '{clash.Key}'; rename one.");
        foreach (var c in columns.Where(c => c.Name is "commit_id" or "deleted"))
            errors.Add($"{row.Name}.{c.Property} would be column '{c.Name}', which the store needs itself; rename it.");
        if (columns.Count > 900)
            errors.Add($"{row.Name} has {columns.Count} columns; a feature group has at most 900, so split it.");
        var keyBytes = columns.Where(c => c.Role == ColumnRole.Key).Sum(ColumnTypes.KeyBytes) + 2 * sizeof(long);
        if (keyBytes > LongestKey)
            errors.Add($"{row.Name}: its keys may take {keyBytes} bytes with event time and commit, and a key has at most {LongestKey} (two for each character of a text); give the texts a shorter length: [EntityKey(MaxLength = n)].");
        if (errors.Count == before)
            RowShape.TryCreate(row, errors);
        if (errors.Count > before)
            return null;
        return new GroupSchema(row, attribute!, [.. columns.OrderBy(c => c.Role switch { ColumnRole.EventTime => 0, ColumnRole.Key => 1, _ => 2 })]);
    }

    /// <summary>The schema of a type that has passed validation.</summary>
    public static GroupSchema Of(Type row)
    {
        lock (Cache)
        {
            if (Cache.TryGetValue(row, out var schema))
                return schema;
            var errors = new List<string>();
            return Cache[row] = TryCreate(row, errors) ?? throw new InvalidDefinitionsException(errors);
        }
    }

    /// <summary>The only names that reach SQL as identifiers: checked here, quoted in the store's dialect.</summary>
    public static bool IsIdentifier(string name) =>
        name.Length is > 0 and <= 60 && char.IsAsciiLetterLower(name[0]) && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_');

    private static readonly Dictionary<Type, GroupSchema> Cache = [];
}

/// <summary>Which C# types a column can hold.</summary>
internal static class ColumnTypes
{
    public const string Storable = "string, bool, byte, short, int, long, float, double, decimal, DateTime (UTC), DateOnly, Guid, an enum, float[] and their nullable forms";

    public static ColumnType? Of(Type type) =>
        type.IsEnum ? ColumnType.Enum
        : type == typeof(string) ? ColumnType.Text
        : type == typeof(bool) ? ColumnType.Boolean
        : type == typeof(byte) ? ColumnType.Byte
        : type == typeof(short) ? ColumnType.Int16
        : type == typeof(int) ? ColumnType.Int32
        : type == typeof(long) ? ColumnType.Int64
        : type == typeof(float) ? ColumnType.Single
        : type == typeof(double) ? ColumnType.Double
        : type == typeof(decimal) ? ColumnType.Decimal
        : type == typeof(DateTime) ? ColumnType.Timestamp
        : type == typeof(DateOnly) ? ColumnType.Date
        : type == typeof(Guid) ? ColumnType.Guid
        : type == typeof(float[]) ? ColumnType.Vector
        : null;

    /// <summary>The most bytes that a key takes in an index.</summary>
    public static int KeyBytes(FeatureColumn key) => key.Type switch
    {
        ColumnType.Text or ColumnType.Enum => 2 * key.MaxLength,
        ColumnType.Guid => 16,
        ColumnType.Int32 => sizeof(int),
        ColumnType.Int16 => sizeof(short),
        ColumnType.Byte => sizeof(byte),
        _ => sizeof(long),
    };

    /// <summary>The type as a C# programmer writes it.</summary>
    public static string Display(Type type) => Nullable.GetUnderlyingType(type) is { } underlying ? underlying.Name + "?" : type.Name;
}
