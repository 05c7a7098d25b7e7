using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;

namespace AiWorkflows.Models;

/// <summary>
/// An ensemble of regression trees as one array of nodes, walked without ML.NET's row mappers. It knows models that concatenate numbers and end in trees with numeric
/// splits, calibrated or not (LightGBM, FastTree, binary FastForest); of everything else there is none. ML.NET shows the trees to nobody, so each model is compared with ML.NET's own
/// scores when it is loaded, at and around its thresholds, and one that differs in a bit is left to ML.NET.
/// </summary>
internal sealed class FlatTrees
{
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
    private const int Probes = 128;

    /// <param name="Lower">Where to go at a value up to the threshold: a node, or the complement of a leaf.</param>
    /// <param name="Missing">What stands for a missing value.</param>
    private readonly record struct Node(float Threshold, float Missing, int Feature, int Lower, int Higher);

    private sealed record Known(FlatTrees? Trees);

    private static readonly ConditionalWeakTable<ITransformer, Known> All = [];

    private readonly List<Node> _building = [];
    private readonly List<double> _buildingLeaves = [];
    private readonly List<int> _buildingRoots = [];
    private readonly Node[] _nodes;
    private readonly double[] _leaves;
    private readonly int[] _roots;
    private readonly ICalibrator? _calibrator;

    private FlatTrees(IReadOnlyList<string> inputs, IEnumerable trees, ICalibrator? calibrator)
    {
        (Inputs, _calibrator) = (inputs, calibrator);
        foreach (var tree in trees)
            Add(tree);
        (_nodes, _leaves, _roots) = ([.. _building], [.. _buildingLeaves], [.. _buildingRoots]);
    }

    /// <summary>The columns that make up the features, in their order.</summary>
    public IReadOnlyList<string> Inputs { get; }

    public bool HasProbability => _calibrator is not null;

    /// <summary>The trees of a model; null for one that they cannot stand for.</summary>
    public static FlatTrees? Of(ITransformer model) => All.GetValue(model, static m => new(Read(m))).Trees;

    /// <param name="features">Values of <see cref="Inputs"/>.</param>
    public Score Score(ReadOnlySpan<float> features)
    {
        var nodes = _nodes;
        var sum = 0.0;
        foreach (var root in _roots)
        {
            var at = root;
            while (at >= 0)
            {
                ref readonly var node = ref nodes[at];
                var value = features[node.Feature];
                if (float.IsNaN(value))
                    value = node.Missing;
                at = value <= node.Threshold ? node.Lower : node.Higher;
            }
            sum += _leaves[~at];
        }
        var score = (float)sum;
        return new(score, _calibrator?.PredictProbability(score) ?? float.NaN);
    }

    private static FlatTrees? Read(ITransformer model)
    {
        try
        {
            if (model is not IEnumerable<ITransformer> steps || steps.ToArray() is not [ColumnConcatenatingTransformer concatenation, ISingleFeaturePredictionTransformer<object> last]
                || Columns(concatenation) is not [var (output, inputs)] || output != last.FeatureColumnName)
                return null;
            var calibrator = Value(last.Model, "Calibrator") as ICalibrator;
            var predictor = calibrator is null ? last.Model : Value(last.Model, "SubModel");
            if (predictor is null || Value(predictor, "TrainedEnsemble") is not { } ensemble || Value(ensemble, "Trees") is not IEnumerable trees)
                return null;
            var flat = new FlatTrees(inputs, trees, calibrator);
            return flat.Equals((ITransformer)last, last.FeatureColumnName) ? flat : null;
        }
        catch (Exception e) when (e is UnknownTreeException or InvalidCastException or ArgumentException or InvalidOperationException or IndexOutOfRangeException or TargetInvocationException)
        {
            return null;
        }
    }

    private static (string Output, string[] Inputs)[] Columns(ColumnConcatenatingTransformer concatenation) =>
        Value(concatenation, "Columns") is IReadOnlyCollection<(string, string[])> columns ? [.. columns] : [];

    private void Add(object tree)
    {
        if (Value(tree, "CategoricalSplit") is bool[] categorical && categorical.Contains(true))
            throw new UnknownTreeException();
        var (lower, higher, features) = (Of<int[]>(tree, "LteChild"), Of<int[]>(tree, "GtChild"), Of<int[]>(tree, "SplitFeatures"));
        var (thresholds, leaves, missing) = (Of<float[]>(tree, "RawThresholds"), Of<double[]>(tree, "LeafValues"), Value(tree, "DefaultValueForMissing") as float[]);
        // One that has nothing to ask says nothing.
        if (lower.Length == 0 || lower[0] == 0)
            return;
        var (firstNode, firstLeaf) = (_building.Count, _buildingLeaves.Count);
        _buildingRoots.Add(firstNode);
        _buildingLeaves.AddRange(leaves);
        var count = (int)(Value(tree, "NumNodes") ?? throw new UnknownTreeException());
        for (var i = 0; i < count; i++)
            _building.Add(new(thresholds[i], missing is null ? float.NaN : missing[i], features[i], To(lower[i]), To(higher[i])));

        int To(int child) => child >= 0 ? firstNode + child : ~(firstLeaf + ~child);
    }

    /// <summary>Whether ML.NET says the same, to the bit, for values at the thresholds, beside them, far from them and missing.</summary>
    private bool Equals(ITransformer last, string column)
    {
        using var row = new VectorRow(column, Inputs.Count);
        var mapper = last.GetRowToRowMapper(row.Schema);
        var wanted = mapper.OutputSchema.Where(c => c.Name is "Score" or "Probability" && c.Type == NumberDataViewType.Single).ToArray();
        using var scored = mapper.GetRow(row, wanted);
        var score = scored.GetGetter<float>(scored.Schema["Score"]);
        var probability = HasProbability ? scored.GetGetter<float>(scored.Schema["Probability"]) : null;
        var thresholds = _nodes.ToLookup(n => n.Feature, n => n.Threshold);
        var random = new Random(1);
        for (var probe = 0; probe < Probes; probe++)
        {
            var values = new float[Inputs.Count];
            for (var i = 0; i < values.Length; i++)
            {
                var near = thresholds[i].ElementAtOrDefault(random.Next(Math.Max(1, thresholds[i].Count())));
                values[i] = random.Next(8) switch { 0 => float.NaN, 1 => 0, 2 => float.PositiveInfinity, 3 => -near, 4 => MathF.BitIncrement(near), 5 => MathF.BitDecrement(near), _ => near };
            }
            row.Move(values);
            float expectedScore = 0, expectedProbability = float.NaN;
            score(ref expectedScore);
            probability?.Invoke(ref expectedProbability);
            var mine = Score(values);
            if (Bits(mine.Value) != Bits(expectedScore) || Bits(mine.Probability) != Bits(expectedProbability))
                return false;
        }
        return true;
    }

    private static int Bits(float value) => float.IsNaN(value) ? int.MinValue + 1 : BitConverter.SingleToInt32Bits(value);

    private static T Of<T>(object of, string name) where T : class => Value(of, name) as T ?? throw new UnknownTreeException();

    /// <summary>A field or property, wherever it is declared; null where there is none.</summary>
    private static object? Value(object of, string name)
    {
        for (var type = of.GetType(); type is not null; type = type.BaseType)
            if (type.GetProperty(name, Any | BindingFlags.DeclaredOnly) is { } property)
                return property.GetValue(of);
            else if (type.GetField(name, Any | BindingFlags.DeclaredOnly) is { } field)
                return field.GetValue(of);
        return null;
    }

    private sealed class UnknownTreeException : Exception;

    /// <summary>A row of one vector.</summary>
    private sealed class VectorRow : DataViewRow
    {
        private float[] _values = [];
        private long _position = -1;

        public VectorRow(string column, int length)
        {
            var builder = new DataViewSchema.Builder();
            builder.AddColumn(column, new VectorDataViewType(NumberDataViewType.Single, length));
            Schema = builder.ToSchema();
        }

        public override DataViewSchema Schema { get; }

        public override long Position => _position;

        public override long Batch => 0;

        public void Move(float[] values) => (_values, _position) = (values, _position + 1);

        public override bool IsColumnActive(DataViewSchema.Column column) => true;

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new((ulong)_position, 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            (Delegate)(ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => value = new(_values.Length, [.. _values])) as ValueGetter<TValue> ?? throw new InvalidOperationException($"{column.Name} is a vector.");
    }
}
