namespace AiWorkflows.Training;

/// <summary>Sums up scored rows of a regression task.</summary>
internal sealed class RegressionEvaluation
{
    private long _rows;
    private double _absolute;
    private double _squares;
    private double _mean;
    private double _deviations;

    public void Add(double prediction, double label)
    {
        var error = prediction - label;
        _absolute += Math.Abs(error);
        _squares += error * error;
        var distance = label - _mean;
        _mean += distance / ++_rows;
        _deviations += distance * (label - _mean);
    }

    public Evaluation Finish() => new(_rows == 0 ? new ModelMetrics() : new ModelMetrics
    {
        Rows = _rows,
        MeanAbsoluteError = _absolute / _rows,
        RootMeanSquaredError = Math.Sqrt(_squares / _rows),
        RSquared = _deviations > 0 ? 1 - _squares / _deviations : double.NaN,
    });
}
