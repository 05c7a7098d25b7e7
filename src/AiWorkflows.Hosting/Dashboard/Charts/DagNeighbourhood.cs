namespace AiWorkflows.Hosting.Dashboard.Charts;

/// <summary>What of a large graph is drawn: the nodes that matter and those at most two edges from them.</summary>
internal static class DagNeighbourhood
{
    private const int Distance = 2;

    /// <param name="ids">All nodes, in a stable order.</param>
    /// <param name="focus">The nodes that matter, most important first.</param>
    /// <param name="most">Never more nodes than this.</param>
    public static IReadOnlyList<string> Around(
        IReadOnlyList<string> ids, IReadOnlyList<(string From, string To)> edges, IEnumerable<string> focus, int most)
    {
        if (ids.Count <= most)
            return ids;
        var near = edges.SelectMany(edge => new[] { edge, (From: edge.To, To: edge.From) }).ToLookup(edge => edge.From, edge => edge.To);
        var chosen = new HashSet<string>();
        foreach (var center in focus.DefaultIfEmpty(ids[0]))
        {
            var ring = new List<string> { center };
            for (var distance = 0; distance <= Distance && chosen.Count < most; distance++)
            {
                foreach (var id in ring.TakeWhile(_ => chosen.Count < most))
                    chosen.Add(id);
                ring = [.. ring.SelectMany(id => near[id]).Distinct().Where(id => !chosen.Contains(id)).Order(StringComparer.Ordinal)];
            }
        }
        return [.. ids.Where(chosen.Contains)];
    }
}
