using System.Diagnostics.CodeAnalysis;

namespace AiWorkflows.Tests.Compliance.Equality;

[SuppressMessage("Naming", "CA1708", Justification = "Names that a collation for people would take for one another.")]
public enum EdgeKind { None, first, First, Ünïcode }

/// <summary>A group with a column of every type that a column can hold, and a key of every type that a key can have.</summary>
[FeatureGroup("edges", Online = true)]
public sealed record Edge(
    [property: EntityKey(MaxLength = 40)] string Name, [property: EntityKey] Guid Id, [property: EntityKey] EdgeKind Kind, [property: EntityKey] DateOnly Day,
    [property: EntityKey] byte Small, [property: EntityKey] short Medium, [property: EntityKey] int Whole, [property: EntityKey] long Large, [property: EventTime] DateTime At)
{
    public string Text { get; init; } = "";

    public string? OptionalText { get; init; }

    [Feature(MaxLength = 10_000)] public string? LongText { get; init; }

    public bool Flag { get; init; }

    public bool? OptionalFlag { get; init; }

    public byte? OptionalSmall { get; init; }

    public short? OptionalMedium { get; init; }

    public int? OptionalWhole { get; init; }

    public long? OptionalLarge { get; init; }

    public float Rate { get; init; }

    public float? OptionalRate { get; init; }

    public double Exact { get; init; }

    public double? OptionalExact { get; init; }

    public decimal Amount { get; init; }

    [Feature(Precision = 18, Scale = 18)] public decimal? Fraction { get; init; }

    [Feature(Precision = 18, Scale = 0)] public decimal? Count { get; init; }

    [Feature(Precision = 5, Scale = 2)] public decimal? Price { get; init; }

    public EdgeKind? OptionalKind { get; init; }

    public DateTime Seen { get; init; } = DateTime.UnixEpoch;

    public DateTime? OptionalSeen { get; init; }

    public DateOnly Since { get; init; }

    public DateOnly? OptionalSince { get; init; }

    public Guid Tag { get; init; }

    public Guid? OptionalTag { get; init; }

    [Feature(VectorLength = 3)] public float[]? Vector { get; init; }

    /// <summary>Longer than what lies in the row on any engine.</summary>
    [Feature(VectorLength = 2_100)] public float[]? WideVector { get; init; }
}

/// <summary>What became of a name: the label of the view.</summary>
[FeatureGroup("edge_outcomes")]
public sealed record EdgeOutcome([property: EntityKey(MaxLength = 40)] string Name, [property: EventTime] DateTime At, bool Late, float Weight);

public sealed record EdgeExample(float Rate, float OptionalRate, float Exact, float Amount, string? Text, string? OptionalText, string Kind);

public sealed class EdgeView : FeatureView<Edge, EdgeExample>
{
    protected internal override void Define(FeatureViewBuilder<Edge, EdgeExample> view)
    {
        view.Label<EdgeOutcome, bool>((e, o) => e.Name == o.Name, TimeSpan.FromHours(12), o => o.Late);
        view.Select(e => new EdgeExample(e.Rate, e.OptionalRate ?? -1, e.Exact > -1e30 && e.Exact < 1e30 ? (float)e.Exact : 0, (float)e.Amount, e.Text, e.OptionalText, e.Kind.ToString()));
    }
}
