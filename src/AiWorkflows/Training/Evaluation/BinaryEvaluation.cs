namespace AiWorkflows.Training;

/// <summary>Collects scored rows of a binary task: nine bytes a row, because ranks need them all; everything else is summed on the way.</summary>
/// <param name="capacity">Expected number of rows.</param>
internal sealed class BinaryEvaluation(int capacity = 0)
{
    /// <summary>A probability of exactly 0 or 1 that turns out wrong costs this much, and not infinity.</summary>
    private const double SmallestProbability = 1e-15;

    private readonly (long Count, double Predicted, long Positive)[] _bins = new (long, double, long)[Evaluation.CalibrationBins];
    private double[] _scores = new double[Math.Max(16, capacity)];
    private byte[] _labels = new byte[Math.Max(16, capacity)];
    private int _rows;
    private long _positive;
    private long _right;
    private double _logLoss;
    private double _squares;
    private bool _probabilities = true;

    public long Rows => _rows;

    public long Positive => _positive;

    /// <param name="score">What rows are ranked by.</param>
    /// <param name="probability">Outside [0, 1] or NaN: metrics of probabilities do not apply to these predictions.</param>
    public void Add(double score, double probability, bool label)
    {
        if (_rows == _scores.Length)
        {
            Array.Resize(ref _scores, _rows * 2);
            Array.Resize(ref _labels, _rows * 2);
        }
        _scores[_rows] = score;
        _labels[_rows++] = label ? (byte)1 : (byte)0;
        if (label)
            _positive++;
        if (!(probability is >= 0 and <= 1))
        {
            _probabilities = false;
            if (score > 0 == label)
                _right++;
            return;
        }
        var p = Math.Clamp(probability, SmallestProbability, 1 - SmallestProbability);
        _logLoss -= label ? Math.Log(p) : Math.Log(1 - p);
        _squares += (probability - (label ? 1 : 0)) * (probability - (label ? 1 : 0));
        if (probability > 0.5 == label)
            _right++;
        ref var bin = ref _bins[Math.Min(Evaluation.CalibrationBins - 1, (int)(probability * Evaluation.CalibrationBins))];
        bin = (bin.Count + 1, bin.Predicted + probability, bin.Positive + (label ? 1 : 0));
    }

    /// <summary>Sorts what was collected and computes; call it once.</summary>
    public Evaluation Finish()
    {
        var (auc, precision, roc) = Ranked();
        var probabilities = _probabilities && _rows > 0;
        return new(
            new ModelMetrics
            {
                Rows = _rows,
                Auc = auc,
                AveragePrecision = precision,
                LogLoss = probabilities ? _logLoss / _rows : double.NaN,
                Brier = probabilities ? _squares / _rows : double.NaN,
                Accuracy = _rows == 0 ? double.NaN : (double)_right / _rows,
                PositiveRate = _rows == 0 ? double.NaN : (double)_positive / _rows,
            },
            roc,
            probabilities ? [.. _bins.Select(b => new CalibrationBin(b.Count, b.Predicted / b.Count, (double)b.Positive / b.Count))] : null);
    }

    /// <summary>One walk from the highest score to the lowest. Rows of equal score count as one step, so ties are worth half.</summary>
    private (double Auc, double AveragePrecision, double[]? Roc) Ranked()
    {
        var negative = _rows - _positive;
        if (_positive == 0 || negative == 0)
            return (double.NaN, double.NaN, null);
        Array.Sort(_scores, _labels, 0, _rows);
        var roc = new double[Evaluation.RocPoints];
        var (auc, precision) = (0.0, 0.0);
        var (truePositives, falsePositives, point) = (0L, 0L, 0);
        for (var i = _rows - 1; i >= 0;)
        {
            var (newTrue, newFalse, score) = (0L, 0L, _scores[i]);
            for (; i >= 0 && _scores[i].Equals(score); i--)
            {
                newTrue += _labels[i];
                newFalse += 1 - _labels[i];
            }
            auc += newFalse * (truePositives + newTrue / 2.0);
            var (fromRate, toRate) = ((double)falsePositives / negative, (double)(falsePositives + newFalse) / negative);
            for (; point < roc.Length && point / (double)(roc.Length - 1) <= toRate && newFalse > 0; point++)
            {
                var share = (point / (double)(roc.Length - 1) - fromRate) / (toRate - fromRate);
                roc[point] = (truePositives + share * newTrue) / _positive;
            }
            truePositives += newTrue;
            falsePositives += newFalse;
            precision += newTrue / (double)_positive * (truePositives / (double)(truePositives + falsePositives));
        }
        for (; point < roc.Length; point++)
            roc[point] = 1;
        return (auc / ((double)_positive * negative), precision, roc);
    }
}
