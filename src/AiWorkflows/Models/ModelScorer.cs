using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Models;

/// <summary>
/// Scores examples one by one: by the trees of the model, where it is made of such, else through its row mapper. Both give the same to the bit, and batch and online
/// inference share them, so their scores are equal too.
/// Not for several threads: make one for each.
/// </summary>
internal sealed class ModelScorer<TExample> : IDisposable where TExample : class
{
    private readonly ExampleRow<TExample> _input;
    private readonly DataViewRow _output;
    private readonly Func<Score> _read;
    private readonly FlatTrees? _trees;
    private readonly Func<TExample, float>[] _inputs = [];
    private readonly float[] _features = [];

    /// <exception cref="StageFailedException">The model does not map rows, or does not give what its task needs.</exception>
    public ModelScorer(ITransformer model, ExampleSchema<TExample> schema, ModelTask task, string name)
    {
        if (!model.IsRowToRowMapper)
            throw new StageFailedException($"Model {name} does not score row by row (a step of its pipeline drops or joins rows); batch and online inference need that. Remove the step from Fit and train again.");
        _input = new(schema);
        try
        {
            var mapper = model.GetRowToRowMapper(schema.DataView);
            var wanted = ScoreColumns.Find(mapper.OutputSchema, task, name);
            _output = mapper.GetRow(_input, wanted.Active);
            _read = wanted.Reader(_output);
            if (task != ModelTask.Multiclass && FlatTrees.Of(model) is { } trees && trees.HasProbability == wanted.HasProbability && Numbers(schema, trees.Inputs) is { } inputs)
                (_trees, _inputs, _features) = (trees, inputs, new float[inputs.Length]);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new StageFailedException($"Model {name} cannot read the examples of {typeof(TExample).Name}: {e.Message} Train it again.", e);
        }
    }

    /// <summary>Whether it scores by the model's trees.</summary>
    public bool IsFlat => _trees is not null;

    public Score Score(TExample example)
    {
        if (_trees is not null)
        {
            for (var i = 0; i < _inputs.Length; i++)
                _features[i] = _inputs[i](example);
            return _trees.Score(_features);
        }
        _input.Current = example;
        return _read();
    }

    /// <summary>What reads the columns; null where one of them is no number.</summary>
    private static Func<TExample, float>[]? Numbers(ExampleSchema<TExample> schema, IReadOnlyList<string> columns)
    {
        var found = columns.Select(name => schema.Columns.TakeWhile(c => c.Name != name).Count()).ToArray();
        return found.All(i => i < schema.Columns.Count && schema.Columns[i].Kind == ExampleColumnKind.Number) ? [.. found.Select(i => (Func<TExample, float>)schema.Getters[i])] : null;
    }

    public void Dispose()
    {
        _output.Dispose();
        _input.Dispose();
    }
}
