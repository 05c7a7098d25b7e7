using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Models;

/// <summary>
/// Scores examples one by one through the model's row mapper. Batch and online inference share it, so their scores are equal to the bit.
/// Not for several threads: make one for each.
/// </summary>
internal sealed class ModelScorer<TExample> : IDisposable where TExample : class
{
    private readonly ExampleRow<TExample> _input;
    private readonly DataViewRow _output;
    private readonly Func<Score> _read;

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
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new StageFailedException($"Model {name} cannot read the examples of {typeof(TExample).Name}: {e.Message} Train it again.", e);
        }
    }

    public Score Score(TExample example)
    {
        _input.Current = example;
        return _read();
    }

    public void Dispose()
    {
        _output.Dispose();
        _input.Dispose();
    }
}
