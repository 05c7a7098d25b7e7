namespace AiWorkflows.Training;

/// <summary>Sums up scored rows of a task with several classes.</summary>
internal sealed class MulticlassEvaluation
{
    private const double SmallestProbability = 1e-15;

    private long _rows;
    private long _right;
    private double _logLoss;

    /// <param name="probability">Of the actual class; 0 for a class that the model has never seen.</param>
    public void Add(bool right, double probability)
    {
        _rows++;
        if (right)
            _right++;
        _logLoss -= Math.Log(Math.Clamp(probability, SmallestProbability, 1));
    }

    public Evaluation Finish() => new(_rows == 0 ? new ModelMetrics() : new ModelMetrics
    {
        Rows = _rows,
        Accuracy = (double)_right / _rows,
        LogLoss = _logLoss / _rows,
    });
}
