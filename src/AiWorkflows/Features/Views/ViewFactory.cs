using System.Linq.Expressions;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AiWorkflows.Features;

internal static partial class FeatureDefinitions
{
    /// <summary>The definition of a feature view; null where the type is none, or is wrong (then <paramref name="errors"/> says how).</summary>
    public static FeatureViewDefinition? TryCreateView(Type view, IServiceProvider services, List<string> errors)
    {
        if (BaseOf(view, typeof(FeatureView<,>)) is not { } common)
            return null;
        var own = new List<string>();
        var definition = PipelineActivator.TryCreate(view, services, own) is { } instance
            ? (FeatureViewDefinition?)typeof(ViewFactory<,>).MakeGenericType(common.GenericTypeArguments)
                .GetMethod(nameof(ViewFactory<,>.Create))!.Invoke(null, [instance, own])
            : null;
        AddNew(errors, own);
        return own.Count == 0 ? definition : null;
    }
}

/// <summary>Reads the definition of a view from an instance of it.</summary>
internal static class ViewFactory<TSpine, TExample> where TSpine : class where TExample : class
{
    public static FeatureViewDefinition? Create(FeatureView<TSpine, TExample> view, List<string> errors)
    {
        var name = view.GetType().Name;
        if (!FeatureDefinitions.IsKebab(view.Name))
            errors.Add($"{name}.Name is '{view.Name}'; use lower-case letters, digits and hyphens, at most 60, starting with a letter.");
        if (view.Version < 1)
            errors.Add($"{name}.Version is {view.Version}; versions start at 1.");
        var spine = GroupSchema.TryCreate(typeof(TSpine), errors);
        ExampleTypes.Check(name, typeof(TExample), errors);
        var builder = new FeatureViewBuilder<TSpine, TExample>();
        try
        {
            view.Define(builder);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            errors.Add($"{name}.Define threw {e.GetType().Name}: {e.Message}");
            return null;
        }
        var joins = new JoinFactory<TSpine, TExample>(name, builder, errors);
        if (builder.Selections.Count != 1)
            errors.Add(builder.Selections.Count == 0
                ? $"{name}: Define never calls Select; end it with view.Select(f => new {typeof(TExample).Name}(…))."
                : $"{name}: Define calls Select {builder.Selections.Count} times; call it once.");
        if (spine is null || !joins.AreParsed || builder.Selections.Count != 1)
            return null;
        var projection = ExampleProjection<TSpine, TExample>.TryCreate(name, joins.Schemas, builder.Selections[0], errors);
        if (projection is null || errors.Count > 0)
            return null;

        var label = joins.Label();
        var (usedByJoins, usedByLabel) = (joins.SpineProperties(), joins.LabelSpineProperties());
        var fingerprint = Fingerprint(spine, builder, joins);
        return new FeatureViewRuntime<TSpine, TExample>
        {
            Name = view.Name,
            Version = view.Version,
            Type = view.GetType(),
            Fingerprint = fingerprint,
            ExampleType = typeof(TExample),
            Spine = spine,
            Reads = [.. joins.Schemas.Prepend(spine).Concat(label is null ? [] : [label.Schema]).Distinct()],
            ReadsAsPublished = [.. joins.Schemas.Where((_, i) => builder.Joins[i].Known == Known.AsPublished).Distinct()],
            LabelType = label?.LabelType,
            LabelWithin = label?.Within ?? TimeSpan.Zero,
            Lineage = projection.Lineage,
            Groups = joins.Groups(projection),
            Label = label,
            Projection = projection,
            SpineProperties = Union(projection.SpineProperties, Union(usedByJoins, usedByLabel)),
            LabelSpineProperties = usedByLabel,
            WhenUnknown = builder.Unknown,
            Registered = new(view.Name, view.Version, fingerprint, typeof(TExample).Name, spine, LabelJson(builder, label), ColumnsJson(), projection.Lineage),
        };
    }

    internal static IReadOnlySet<string>? Union(IReadOnlySet<string>? a, IReadOnlySet<string>? b) => a is null || b is null ? null : a.Concat(b).ToHashSet();

    /// <summary>Everything that decides what an example is, apart from the bodies of methods that it calls: those are the code version's business.</summary>
    private static string Fingerprint(GroupSchema spine, FeatureViewBuilder<TSpine, TExample> builder, JoinFactory<TSpine, TExample> joins)
    {
        var text = new ExpressionText();
        var parts = new List<string> { $"spine {spine} {spine.Fingerprint}" };
        parts.AddRange(builder.Joins.Select((j, i) => $"join {joins.Schemas[i]} {joins.Schemas[i].Fingerprint} {joins.Schemas[i].Lag} {text.Of(j.On)} {j.MaxAge} {j.StrictlyBefore} {j.Known}"));
        parts.AddRange(builder.Labels.Select(l => $"label {GroupSchema.Of(l.Row)} {GroupSchema.Of(l.Row).Fingerprint} {text.Of(l.On)} {l.Within} {text.Of(l.Value)}"));
        parts.Add(text.Of(builder.Selections[0]));
        parts.Add(ColumnsJson());
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))))[..16];
    }

    private static string ColumnsJson() => new JsonArray([.. typeof(TExample).GetProperties().Select(p => (JsonNode)new JsonObject
    {
        ["name"] = p.Name,
        ["type"] = ColumnTypes.Display(p.PropertyType),
        ["description"] = ExampleTypes.Feature(typeof(TExample), p)?.Description,
    })]).ToJsonString();

    private static string? LabelJson(FeatureViewBuilder<TSpine, TExample> builder, LabelPlan<TSpine>? label) => label is null ? null : JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["group"] = label.Schema.Name,
        ["group_version"] = label.Schema.Version,
        ["type"] = label.LabelType.Name,
        ["within"] = Timestamps.ToMicros(label.Within),
        ["value"] = builder.Labels[0].Value.Body.ToString(),
    });
}
