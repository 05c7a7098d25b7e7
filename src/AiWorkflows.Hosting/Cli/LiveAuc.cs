using AiWorkflows.Inference;

namespace AiWorkflows.Hosting.Cli;

/// <summary>AUC over predictions with a known outcome of yes or no; 16 bytes a prediction.</summary>
internal sealed class LiveAuc
{
    private readonly List<(double Score, bool Positive)> _rows = [];

    public long Known { get; private set; }

    /// <summary>Null where the outcomes are no yes or no, or all the same.</summary>
    public double? Auc => _rows.Count == 0 ? null : Compute();

    public void Add(ScoredRow row)
    {
        if (row.Actual is not { } actual)
            return;
        Known++;
        if (row.Probability is { } probability && row.ActualText is null && actual is 0 or 1)
            _rows.Add((probability, actual == 1));
    }

    /// <summary>The probability that a positive is ranked above a negative; ties count half.</summary>
    private double? Compute()
    {
        _rows.Sort((a, b) => a.Score.CompareTo(b.Score));
        var (positives, negatives, wins) = (0L, 0L, 0.0);
        for (int i = 0, end; i < _rows.Count; i = end)
        {
            var (tiedPositives, tiedNegatives) = (0L, 0L);
            for (end = i; end < _rows.Count && _rows[end].Score == _rows[i].Score; end++)
                if (_rows[end].Positive)
                    tiedPositives++;
                else
                    tiedNegatives++;
            wins += tiedPositives * (negatives + tiedNegatives / 2.0);
            (positives, negatives) = (positives + tiedPositives, negatives + tiedNegatives);
        }
        return positives == 0 || negatives == 0 ? null : wins / positives / negatives;
    }
}
