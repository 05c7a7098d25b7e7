using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Tests.Inference.Online;

namespace AiWorkflows.Tests.Dashboard;

public sealed partial class FeatureGroupPageTests
{
    private static readonly DateTime Day = DashboardSeed.Clock.Date;

    private const string Columns =
        """
        [{"name":"at","type":"timestamp","role":"event_time"},{"name":"airport","type":"text","role":"key","max_length":3},{"name":"gate","type":"int32","role":"key"},
         {"name":"open","type":"boolean","role":"feature","nullable":true},{"name":"load","type":"single","role":"feature","nullable":true,"description":"<i>share</i>"}]
        """;

    [Fact]
    public async Task A_group_that_a_view_takes_its_label_from_is_used_by_it_and_by_its_champion()
    {
        await using var shop = new OnlineShop();
        await shop.InitializeAsync();
        var html = await shop.Served.Http.GetStringAsync("/hangfire/features/purchases", TestContext.Current.CancellationToken);
        html.ShouldContain("1 view");
        html.ShouldContain("1 champion");
        html.ShouldContain("its label");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Rows_are_those_that_the_sequence_left(int seed)
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.CatalogOf());
        var random = new Random(seed);
        var versions = new List<(DateTime At, string Airport, int Gate, long Commit, bool Deleted, double Load)>();
        for (var commit = 1; commit <= 6; commit++)
            foreach (var key in Enumerable.Range(0, 25).Where(_ => random.Next(2) == 0))
                versions.Add((Day.AddHours(key / 5), "A" + key % 2, key % 5, commit, random.Next(5) == 0, random.Next(100)));
        await FillAsync(host, versions, commits: 6);
        var queries = new GroupRowQueries(host.Database);
        foreach (var seq in new long[] { 0, 1, 3, 6, long.MaxValue })
            foreach (var (key, wanted) in new (string?, Func<string, int, bool>)[] { (null, (_, _) => true), ("A1", (a, _) => a == "A1"), ("A0,3", (a, g) => a == "A0" && g == 3), (",2", (_, g) => g == 2) })
            {
                var at = Day.AddHours(random.Next(6));
                var expected = versions.Where(v => v.Commit <= seq && v.At <= at && wanted(v.Airport, v.Gate)).GroupBy(v => (v.At, v.Airport, v.Gate)).Select(v => v.MaxBy(x => x.Commit)).Where(v => !v.Deleted);
                var found = await queries.NewestAsync("gates", 1, StoredColumn.Read(Columns), online: false, key, at, seq, 1000, CancellationToken.None);
                found.Rows.Select(r => ((DateTime)r.Values[0]!, (string)r.Values[1]!, Convert.ToInt32(r.Values[2], CultureInfo.InvariantCulture), r.CommitId, (double)(float)r.Values[4]!)).ShouldBe(expected.Select(v => (v.At, v.Airport, v.Gate, v.Commit, v.Load)), ignoreOrder: true);
            }
    }

    [Fact]
    public async Task A_group_shows_its_columns_its_rules_and_what_was_kept_out()
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.CatalogOf(), DashboardSeed.Clock);
        await FillAsync(host, [(Day, "A0", 1, 1, false, 5)], commits: 2);
        using var client = new HttpClient();
        var html = WebUtility.HtmlDecode(await client.GetStringAsync(host.Url + "/hangfire/features/gates"));
        html.ShouldContain("load: missing in 10% to 20% over 2 commits, now 20%");
        html.ShouldContain("load: distribution over 2 bins");
        html.ShouldContain("load in [0, 1]");
        html.ShouldContain("<span class=\"aw-t-warn\">4</span>");
        html.ShouldContain("is 7, not in [0, 1]");
        html.ShouldContain("Replay 1…");
        html.ShouldContain("/hangfire/features/gates?seq=2");
        var earlier = await client.GetStringAsync(host.Url + "/hangfire/features/gates?seq=1");
        earlier.ShouldContain("as of sequence 1");
        earlier.ShouldContain("?seq=1\">1</a>");
        earlier.ShouldNotContain("?seq=2\"");
        (await client.GetStringAsync(host.Url + "/hangfire/features")).ShouldContain("gates");
    }

    [Fact]
    public async Task Rows_are_found_by_key_and_a_wrong_key_is_explained()
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.CatalogOf(), DashboardSeed.Clock);
        await FillAsync(host, [(Day, "A0", 1, 1, false, 5), (Day, "A<", 2, 2, false, 6)], commits: 2);
        using var client = new HttpClient();
        (await client.GetStringAsync(host.Url + "/hangfire/features/gates/rows?key=A%3C,2")).ShouldContain("<td class=\"aw-nowrap\">A&lt;</td>");
        RowCount().Count(await client.GetStringAsync(host.Url + "/hangfire/features/gates/rows")).ShouldBe(2);
        RowCount().Count(await client.GetStringAsync(host.Url + "/hangfire/features/gates/rows?seq=1")).ShouldBe(1);
        var answer = await client.GetAsync(host.Url + "/hangfire/features/gates/rows?key=A0,many");
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await answer.Content.ReadAsStringAsync()).ShouldContain("is no value of gate, which is of type int32");
    }

    [Fact]
    public async Task A_replay_that_nothing_can_do_is_refused_and_viewers_see_none()
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.CatalogOf(), DashboardSeed.Clock);
        await FillAsync(host, [], commits: 2);
        using var browser = new Viewer(host.Url);
        (await browser.PostAsync("/features/gates", "/features/gates/replay", ("accept", "yes"))).Message.ShouldContain("No pipeline of this program writes gates");
        await using var readOnly = await DashboardHost.StartAsync(DashboardSeed.CatalogOf(), DashboardSeed.Clock, readOnly: true);
        await FillAsync(readOnly, [], commits: 2);
        using var viewer = new Viewer(readOnly.Url);
        (await viewer.GetAsync("/features/gates")).ShouldNotContain("#replay");
        (await viewer.PostAsync("/features/gates", "/features/gates/replay")).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    private static Task FillAsync(DashboardHost host, IEnumerable<(DateTime At, string Airport, int Gate, long Commit, bool Deleted, double Load)> rows, int commits) => host.Database.WriteAsync(async tx =>
    {
        await tx.ExecuteAsync("INSERT INTO {feature_store.feature_groups} (feature_group, version, fingerprint, schema_revision, written_by, columns_json, created_at) VALUES ('gates', 1, 'f', 1, 'gates', @Columns, 0)", new { Columns });
        await tx.ExecuteAsync("CREATE TABLE feature_store_gates_v1_rows (at INTEGER, airport TEXT, gate INTEGER, open INTEGER, load REAL, commit_id INTEGER, deleted INTEGER, PRIMARY KEY (at, airport, gate, commit_id)) STRICT, WITHOUT ROWID");
        for (var commit = 1; commit <= commits; commit++)
            await tx.ExecuteAsync(
                """
                INSERT INTO {feature_store.commits} (commit_id, feature_group, version, kind, window_from, window_to, base_seq, state, published_seq, published_at, created_at, rows, rows_computed, rows_quarantined, statistics_json, expectations)
                VALUES (@commit, 'gates', 1, 'replace', 0, 86400000000, 0, 'published', @commit, @commit, 0, 1, 10, @kept, @statistics, '[{"rule":"load in [0, 1]","outcome":"quarantine","violations":2,"first":"row 1: is 7"}]')
                """, new { commit, kept = commit == 1 ? 1 : 0, statistics = $$$"""{"columns":[{"name":"load","count":{{{10 - commit}}},"nulls":{{{commit}}},"min":0,"max":1,"mean":0.5,"histogram":{"counts":[4,5]}}]}""" });
        await tx.ExecuteAsync("INSERT INTO {feature_store.quarantine} (commit_id, row_json, rule_name, reason, quarantined_at) VALUES (1, '{\"load\":7}', 'load in [0, 1]', 'is 7, not in [0, 1]', 0)");
        foreach (var row in rows)
            await tx.ExecuteAsync("INSERT INTO feature_store_gates_v1_rows VALUES (@at, @Airport, @Gate, 1, @Load, @Commit, @deleted)", new { at = (Utc)row.At, row.Airport, row.Gate, row.Load, row.Commit, deleted = row.Deleted ? 1 : 0 });
    }, CancellationToken.None);

    [GeneratedRegex("<tr><td class=\"aw-nowrap\">")]
    private static partial Regex RowCount();
}
