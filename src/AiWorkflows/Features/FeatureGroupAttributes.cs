namespace AiWorkflows;

/// <summary>Declares a record as a feature group: a versioned, typed, append-only table of features (or labels).</summary>
/// <param name="name">Name of the group in snake case; also its table and view in the store.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class FeatureGroupAttribute(string name) : Attribute
{
    /// <summary>Name of the group, snake case: letters, digits and underscores, at most 60 characters.</summary>
    public string Name => name;

    /// <summary>Version of the group's schema.</summary>
    /// <value>The default value is 1. Raise it when a column is removed, renamed or changes its type; old versions stay readable.</value>
    public int Version { get; init; } = 1;

    /// <summary>What a row means, for the people who look at the dashboard.</summary>
    public string? Description { get; init; }

    /// <summary>Whether single rows are looked up by key online; keeps an additional index, which costs writes.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool Online { get; init; }

    /// <summary>Seconds after its event time from which a row counts as known.</summary>
    /// <value>The default value is 0: the event time is the moment from which the row was known.</value>
    public int LagSeconds { get; init; }
}

/// <summary>Marks a property (or record parameter) as part of what a row is about: string, integer, Guid, enum or DateOnly, never null.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Property)]
public sealed class EntityKeyAttribute : Attribute
{
    /// <summary>Longest string in characters; longer ones fail the commit, naming row and column.</summary>
    /// <value>The default value is 128.</value>
    public int MaxLength { get; init; } = 128;
}

/// <summary>Marks the one <see cref="DateTime"/> property (UTC) from which on the values of a row were known.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Property)]
public sealed class EventTimeAttribute : Attribute;

/// <summary>Describes a feature for the people who look at the dashboard, and declares its size where the type leaves it open.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Property)]
public sealed class FeatureAttribute : Attribute
{
    /// <summary>What the value means, with its unit.</summary>
    public string? Description { get; init; }

    /// <summary>Longest string in characters.</summary>
    /// <value>The default value is 4000.</value>
    public int MaxLength { get; init; } = 4000;

    /// <summary>Decimal digits in total, at most 18.</summary>
    /// <value>The default value is 18.</value>
    public int Precision { get; init; } = 18;

    /// <summary>Decimal digits after the point.</summary>
    /// <value>The default value is 4.</value>
    public int Scale { get; init; } = 4;

    /// <summary>Length of a <c>float[]</c>.</summary>
    public int VectorLength { get; init; }
}
