using System.Text.RegularExpressions;
using AiWorkflows.Hosting.Dashboard.Charts;
using AiWorkflows.Hosting.Dashboard.Rendering;
using CsCheck;

namespace AiWorkflows.Tests.Dashboard;

public sealed class DagTests
{
    [Fact]
    public void In_any_graph_edges_go_right_and_nodes_of_a_layer_do_not_overlap() =>
        Gen.Select(Gen.Int[1, 60], Gen.Int[0, 200], Gen.Int[0, 100_000]).Sample((count, edgeCount, seed) =>
        {
            var (ids, edges) = RandomGraph(count, edgeCount, seed);
            var layout = new DagLayout(ids, edges);

            layout.Positions.Count.ShouldBe(count);
            foreach (var (from, to) in edges)
                layout.Positions[to].X.ShouldBeGreaterThanOrEqualTo(layout.Positions[from].X + layout.NodeWidth + layout.GapX);
            foreach (var column in layout.Positions.Values.GroupBy(at => at.X))
            {
                var heights = column.Select(at => at.Y).Order().ToArray();
                for (var i = 1; i < heights.Length; i++)
                    (heights[i] - heights[i - 1]).ShouldBeGreaterThanOrEqualTo(DagLayout.NodeHeight);
            }
            layout.Positions.Values.ShouldAllBe(at => at.Y - DagLayout.NodeHeight / 2d >= -1e-6 && at.Y + DagLayout.NodeHeight / 2d <= layout.Height + 1e-6);
        }, iter: 200);

    [Fact]
    public void The_same_graph_is_drawn_the_same_way_twice()
    {
        var (ids, edges) = RandomGraph(40, 90, seed: 7);
        Draw(ids, edges).ShouldBe(Draw(ids, edges));
    }

    [Fact]
    public void Sixty_stages_are_drawn_each_with_its_name_and_link()
    {
        var (ids, edges) = RandomGraph(60, 120, seed: 3);
        var svg = Draw(ids, edges);
        Regex.Count(svg, "<g class=\"aw-node ").ShouldBe(60);
        foreach (var id in ids)
            svg.ShouldContain($"href=\"#{id}\"");
    }

    [Fact]
    public void A_cycle_is_no_endless_loop() => new DagLayout(["a", "b", "c"], [("a", "b"), ("b", "c"), ("c", "a")]).Positions.Count.ShouldBe(3);

    [Fact]
    public void Names_are_encoded_and_long_ones_are_cut_in_the_box_and_whole_in_the_tip()
    {
        var name = "<script>" + new string('n', 300);
        var svg = DagSvg.Render("Stages", [new DagNode(name, name, "features", "1 row", Status.Ok, "#x", Tip: name)], []).ToString();
        svg.ShouldNotContain("<script>");
        svg.ShouldContain($"data-tip=\"&lt;script&gt;{new string('n', 300)}\"");
        svg.ShouldContain("&lt;script&gt;nnnn");
        Regex.Match(svg, "<text class=\"aw-nt\"[^>]*>([^<]*)</text>").Groups[1].Value.Length.ShouldBeLessThan(40);
    }

    [Theory]
    [InlineData("delay-scoring/outcomes", 18, "delay-sc…/outcomes")]
    [InlineData("delay-scoring", 18, "delay-scoring")]
    [InlineData("a-stage-with-a-long-name", 18, "a-stage-with-a-lo…")]
    public void Of_a_long_name_the_part_behind_the_slash_stays(string name, int length, string shown) => DagSvg.Title(name, length).ShouldBe(shown);

    [Fact]
    public void Of_a_large_graph_the_neighbourhood_of_what_matters_is_shown()
    {
        string[] ids = [.. Enumerable.Range(0, 100).Select(i => $"s{i:00}")];
        (string, string)[] chain = [.. Enumerable.Range(0, 99).Select(i => (ids[i], ids[i + 1]))];
        DagNeighbourhood.Around(ids, chain, ["s50"], 60).ShouldBe(["s48", "s49", "s50", "s51", "s52"]);
        DagNeighbourhood.Around(ids, chain, ids, 60).Count.ShouldBe(60);
        DagNeighbourhood.Around(ids[..60], chain[..59], ["s50"], 60).ShouldBe(ids[..60]);
    }

    private static string Draw(string[] ids, (string, string)[] edges) =>
        DagSvg.Render("Stages", [.. ids.Select(id => new DagNode(id, id, "features", "1 row", Status.Ok, "#" + id))], edges).ToString();

    private static (string[] Ids, (string From, string To)[] Edges) RandomGraph(int count, int edgeCount, int seed)
    {
        var random = new Random(seed);
        string[] ids = [.. Enumerable.Range(0, count).Select(i => $"stage-{i}")];
        var edges = Enumerable.Range(0, count < 2 ? 0 : edgeCount).Select(_ => (A: random.Next(count), B: random.Next(count))).Where(e => e.A != e.B)
            .Select(e => (ids[Math.Min(e.A, e.B)], ids[Math.Max(e.A, e.B)])).Distinct().ToArray();
        return (ids, edges);
    }
}
