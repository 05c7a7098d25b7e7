namespace AiWorkflows.Hosting.Dashboard.Charts;

/// <summary>
/// Layered layout of a graph of stages: longest-path layers, dummy nodes for edges that span several, barycentre ordering.
/// Deterministic, so a picture never jumps between two polls. Positions are the centres of the nodes in pixels.
/// </summary>
internal sealed class DagLayout
{
    public const int NodeHeight = 66;

    /// <summary>From here on nodes are narrower, so that the picture still fits a screen.</summary>
    private const int ManyLayers = 6;
    private const int GapY = 18;
    private const int LaneHeight = 10;
    private const int Sweeps = 8;

    private readonly Dictionary<string, int> _layer;
    private readonly List<List<Slot>> _layers;
    private readonly List<(string From, string To, List<Slot> Path)> _routes = [];

    /// <summary>A node, or (with an empty id) the lane in which an edge passes a layer.</summary>
    internal sealed class Slot(string id, int layer)
    {
        public string Id => id;
        public int Layer => layer;
        public double Y { get; set; }
        public List<Slot> Before { get; } = [];
        public List<Slot> After { get; } = [];
        public double Height => id.Length > 0 ? NodeHeight : LaneHeight;
    }

    /// <param name="ids">Nodes in a stable order.</param>
    /// <param name="edges">Edges between known nodes; those that would close a cycle are left out of the layering.</param>
    public DagLayout(IReadOnlyList<string> ids, IReadOnlyList<(string From, string To)> edges)
    {
        _layer = Layers(ids, edges);
        _layers = [.. Enumerable.Range(0, _layer.Count == 0 ? 0 : _layer.Values.Max() + 1).Select(_ => new List<Slot>())];
        (NodeWidth, GapX) = _layers.Count >= ManyLayers ? (178, 34) : (196, 50);
        var slots = ids.ToDictionary(id => id, id => new Slot(id, _layer[id]));
        foreach (var id in ids)
            _layers[_layer[id]].Add(slots[id]);
        foreach (var (from, to) in edges.Where(edge => _layer[edge.From] < _layer[edge.To]))
            _routes.Add((from, to, Route(slots[from], slots[to])));
        Height = _layers.Count == 0 ? 0 : _layers.Max(HeightOf);
        _layers.ForEach(Place);
        for (var sweep = 0; sweep < Sweeps; sweep++)
            Order(forward: sweep % 2 == 0);
        Positions = slots.ToDictionary(slot => slot.Key, slot => (X(slot.Value.Layer), slot.Value.Y));
    }

    public int NodeWidth { get; }

    public int GapX { get; }

    public double Width => _layers.Count * NodeWidth + Math.Max(0, _layers.Count - 1) * GapX;

    public double Height { get; }

    /// <summary>Left edge and vertical centre of each node.</summary>
    public IReadOnlyDictionary<string, (double X, double Y)> Positions { get; }

    /// <summary>Nodes in reading order: by layer, then from the top.</summary>
    public IEnumerable<string> ReadingOrder => _layers.SelectMany(layer => layer.Where(slot => slot.Id.Length > 0).Select(slot => slot.Id));

    public IEnumerable<(string From, string To, IReadOnlyList<Slot> Path)> Routes => _routes.Select(route => (route.From, route.To, (IReadOnlyList<Slot>)route.Path));

    public double X(int layer) => layer * (NodeWidth + GapX);

    private static Dictionary<string, int> Layers(IReadOnlyList<string> ids, IReadOnlyList<(string From, string To)> edges)
    {
        var layer = ids.ToDictionary(id => id, _ => 0);
        // Each pass settles at least one more layer; a cycle, which a plan never has, ends with the bound.
        for (var pass = 0; pass < ids.Count; pass++)
        {
            var changed = false;
            foreach (var (from, to) in edges)
                if (layer[to] < layer[from] + 1 && layer[from] + 1 < ids.Count)
                    (layer[to], changed) = (layer[from] + 1, true);
            if (!changed)
                break;
        }
        return layer;
    }

    private List<Slot> Route(Slot from, Slot to)
    {
        var path = new List<Slot> { from };
        for (var layer = from.Layer + 1; layer < to.Layer; layer++)
        {
            var lane = new Slot("", layer);
            _layers[layer].Add(lane);
            path.Add(lane);
        }
        path.Add(to);
        for (var i = 1; i < path.Count; i++)
        {
            path[i - 1].After.Add(path[i]);
            path[i].Before.Add(path[i - 1]);
        }
        return path;
    }

    private static double HeightOf(List<Slot> layer) => layer.Sum(slot => slot.Height) + (layer.Count - 1) * GapY;

    private void Place(List<Slot> layer)
    {
        var y = (Height - HeightOf(layer)) / 2;
        foreach (var slot in layer)
        {
            slot.Y = y + slot.Height / 2;
            y += slot.Height + GapY;
        }
    }

    private void Order(bool forward)
    {
        foreach (var layer in forward ? _layers : Enumerable.Reverse(_layers))
        {
            var sorted = layer.OrderBy(slot => (forward ? slot.Before : slot.After) is { Count: > 0 } near ? near.Average(n => n.Y) : slot.Y).ToList();
            layer.Clear();
            layer.AddRange(sorted);
            Place(layer);
        }
    }
}
