using System.Text.Json;

namespace AiWorkflows.Inference;

/// <summary>
/// Counts scores in 20 bins without knowing their range beforehand: probabilities over [0, 1]; other scores over a range that doubles
/// whenever a score falls outside, merging bins in pairs, so that memory is fixed and counts stay exact.
/// </summary>
internal sealed class ScoreBins(bool isProbability)
{
    public const int Count = 20;

    private long[] _counts = new long[Count];
    private double _from;
    private double _width = isProbability ? 1.0 / Count : 0;

    public void Add(double score)
    {
        if (!double.IsFinite(score))
            return;
        if (_width == 0)
        {
            // A power of two near the size of the first score, so that edges are exact and doubling keeps them so.
            _width = Math.Pow(2, Math.Ceiling(Math.Log2(Math.Max(Math.Abs(score), 1e-6)))) / Count * 2;
            _from = -_width * Count / 2;
        }
        if (isProbability)
        {
            _counts[Math.Clamp((int)(score * Count), 0, Count - 1)]++;
            return;
        }
        while (score >= _from + _width * Count || score < _from)
            Double(downwards: score < _from);
        _counts[Math.Min(Count - 1, (int)((score - _from) / _width))]++;
    }

    /// <summary><c>{"from": 0, "to": 1, "counts": [20 numbers]}</c>; empty counts where nothing was scored.</summary>
    public string ToJson() => JsonSerializer.Serialize(new { from = _from, to = _from + _width * Count, counts = _counts });

    private void Double(bool downwards)
    {
        var merged = new long[Count];
        var offset = downwards ? Count / 2 : 0;
        for (var i = 0; i < Count; i++)
            merged[offset + i / 2] += _counts[i];
        if (downwards)
            _from -= _width * Count;
        _width *= 2;
        _counts = merged;
    }
}
