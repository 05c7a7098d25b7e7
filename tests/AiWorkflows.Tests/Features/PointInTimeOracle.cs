namespace AiWorkflows.Tests.Features;

/// <summary>A version of a row with all that decides when it counts. Times are whole seconds.</summary>
internal sealed record Version<TRow>(TRow Row, string Key, int Time, int Sequence, int PublishedAt, bool Deleted) where TRow : class;

/// <summary>The meaning of a point-in-time join, written as directly as it can be said: no order, no state, no cleverness.</summary>
internal static class PointInTimeOracle
{
    /// <summary>The row with the latest event time among those known at <paramref name="at"/>, not older than <paramref name="maxAge"/>.</summary>
    public static TRow? Join<TRow>(IEnumerable<Version<TRow>> versions, string? key, int at, int maxAge, int lag = 0, bool strictly = false, bool asPublished = false, int asOf = int.MaxValue)
        where TRow : class
    {
        var known = versions
            .Where(v => v.Key == key && v.Sequence > 0 && v.Sequence <= asOf)
            .Where(v => Math.Max(v.Time + lag, asPublished ? v.PublishedAt : int.MinValue) is var moment && (strictly ? moment < at : moment <= at))
            .Where(v => at - v.Time <= maxAge);
        return known.GroupBy(v => v.Time).Select(g => g.MaxBy(v => v.Sequence)!).Where(v => !v.Deleted).MaxBy(v => v.Time)?.Row;
    }

    /// <summary>The earliest row after <paramref name="at"/>, within the horizon.</summary>
    public static (TRow Row, int Time)? Label<TRow>(IEnumerable<Version<TRow>> versions, string key, int at, int within, int knownBefore, int asOf) where TRow : class =>
        versions.Where(v => v.Key == key && v.Sequence > 0 && v.Sequence <= asOf && v.Time > at && v.Time <= at + within && v.Time < knownBefore)
            .GroupBy(v => v.Time).Select(g => g.MaxBy(v => v.Sequence)!).Where(v => !v.Deleted)
            .Select(v => ((TRow Row, int Time)?)(v.Row, v.Time)).MinBy(v => v!.Value.Time);
}
