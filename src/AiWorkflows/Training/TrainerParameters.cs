using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Trainers;

namespace AiWorkflows.Training;

/// <summary>
/// What can be learnt about a trainer from its estimator: its type, its options as they stand, its threads. ML.NET keeps these private,
/// and without them a version cannot say what it was trained with; where they are not found, the parameters say so by their absence.
/// </summary>
internal sealed record TrainerParameters(string Trainer, IReadOnlyDictionary<string, object?>? Options)
{
    private const BindingFlags Fields = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    public static TrainerParameters Of(IEstimator<ITransformer> estimator)
    {
        var trainer = FindTrainer(estimator) ?? estimator;
        return new(trainer.GetType().Name, FindOptions(trainer) is { } options ? Read(options) : null);
    }

    /// <summary>Threads that the trainer was told to use; null for as many as the machine has.</summary>
    public int? Threads => (Options?.GetValueOrDefault("NumberOfThreads") ?? Options?.GetValueOrDefault("NumThreads")) is { } threads
        ? Convert.ToInt32(threads, System.Globalization.CultureInfo.InvariantCulture) is > 0 and var n ? n : null
        : null;

    /// <summary>Why the same data and seed may give another model; null where they give the same.</summary>
    public string? NotReproducible(int? seed)
    {
        if (seed is null)
            return "WithSeed(null) was asked for, so the trainer draws new random numbers each time.";
        var several = Threads is not 1;
        if (Trainer.StartsWith("Sdca", StringComparison.Ordinal) && several)
            return $"{Trainer} with several threads updates its weights in no fixed order; set NumberOfThreads = 1.";
        if (Trainer.StartsWith("SymbolicSgd", StringComparison.Ordinal) && several)
            return $"{Trainer} with several threads is not deterministic; set NumberOfThreads = 1.";
        if (Trainer.StartsWith("MatrixFactorization", StringComparison.Ordinal) && several)
            return $"{Trainer} with several threads is not deterministic; set NumberOfThreads = 1.";
        if (Trainer.StartsWith("LightGbm", StringComparison.Ordinal) && several && Options?.GetValueOrDefault("Deterministic") is not true)
            return $"{Trainer} promises equal models only with Deterministic = true or NumberOfThreads = 1.";
        return null;
    }

    /// <summary>JSON: <c>trainer</c>, <c>options</c> (by name), <c>threads</c> (null: as many as the machine has, which is <c>processors</c>), <c>seed</c>, <c>ml_net</c>.</summary>
    public string ToJson(int? seed)
    {
        var json = new JsonObject
        {
            ["trainer"] = Trainer,
            ["seed"] = seed,
            ["threads"] = Threads,
            ["processors"] = Environment.ProcessorCount,
            ["ml_net"] = typeof(MLContext).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0],
            ["options"] = Options is null ? null : new JsonObject(Options.Select(o => KeyValuePair.Create(o.Key, JsonSerializer.SerializeToNode(o.Value)))),
        };
        return json.ToJsonString();
    }

    private static object? FindTrainer(object estimator)
    {
        if (estimator.GetType().GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(ITrainerEstimator<,>)))
            return estimator;
        for (var type = estimator.GetType(); type is not null; type = type.BaseType)
            if (type.GetField("_estimators", Fields)?.GetValue(estimator) is IEnumerable parts)
                return parts.Cast<object>().Reverse().Select(FindTrainer).FirstOrDefault(t => t is not null);
        return null;
    }

    private static object? FindOptions(object trainer)
    {
        for (var type = trainer.GetType(); type is not null && type != typeof(object); type = type.BaseType)
            foreach (var field in type.GetFields(Fields))
                if (field.FieldType.IsClass && field.GetValue(trainer) is { } value && IsOptions(value.GetType()))
                    return value;
        return null;
    }

    private static bool IsOptions(Type type)
    {
        for (var t = type; t is not null; t = t.BaseType)
            if (t.Name == "TrainerInputBase")
                return true;
        return false;
    }

    private static SortedDictionary<string, object?> Read(object options)
    {
        var values = new SortedDictionary<string, object?>(StringComparer.Ordinal);
        foreach (var field in options.GetType().GetFields(BindingFlags.Public | BindingFlags.Instance))
        {
            var type = Nullable.GetUnderlyingType(field.FieldType) ?? field.FieldType;
            if (field.GetValue(options) is not { } value)
            {
                if (type.IsPrimitive)
                    values[field.Name] = null;
            }
            else if (type.IsEnum)
                values[field.Name] = value.ToString();
            else if (value is double or float && !double.IsFinite(Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture)))
                values[field.Name] = Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture);
            else if (type.IsPrimitive || type == typeof(string))
                values[field.Name] = value;
        }
        return values;
    }
}
