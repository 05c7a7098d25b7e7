using System.Text.RegularExpressions;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Sqlite;

namespace AiWorkflows.Tests.Docs;

/// <summary>Every query of docs/sql.md runs and answers right, and every column it documents exists.</summary>
public sealed partial class SqlDocTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "sql.md"));

    public static TheoryData<string> Titles => [.. Queries.Keys];

    private static readonly Dictionary<string, string> Queries = QueryBlock().Matches(Document).ToDictionary(m => m.Groups["title"].Value.Trim(), m => m.Groups["sql"].Value);

    [Fact]
    public void The_page_has_ten_queries_or_more() => Queries.Count.ShouldBeGreaterThanOrEqualTo(10);

    [Theory]
    [MemberData(nameof(Titles))]
    public async Task Every_query_answers_on_a_store_that_has_everything(string title)
    {
        await using var store = await SampleStore.CreateAsync();
        var (columns, rows) = await RunAsync(store, Queries[title]);
        rows.ShouldNotBeEmpty();
        columns.ShouldBeUnique();
        columns.ShouldAllBe(c => Identifier().IsMatch(c));
    }

    [Theory]
    [MemberData(nameof(Titles))]
    public async Task Every_query_runs_on_an_empty_store(string title)
    {
        var directory = Directory.CreateTempSubdirectory("aiworkflows-empty-");
        await using var database = new SqliteDatabase(Path.Combine(directory.FullName, "store.db"));
        await new SqliteMigrator(database).MigrateAsync(TestContext.Current.CancellationToken);
        await using var result = await database.QueryAsync(Queries[title], TestContext.Current.CancellationToken);
        await foreach (var _ in result.RowsAsync(TestContext.Current.CancellationToken))
            throw new InvalidOperationException("There should be nothing.");
    }

    [Fact]
    public async Task Auc_per_day_is_the_share_of_pairs_that_are_in_the_right_order()
    {
        await using var store = await SampleStore.CreateAsync();
        var rows = await RowsAsync(store, "AUC per day");
        rows.Count.ShouldBe(SampleStore.Days);
        foreach (var row in rows)
        {
            var day = int.Parse(((string)row["day"]!)[^2..], System.Globalization.CultureInfo.InvariantCulture);
            var known = store.Scored.Where(s => s.Day == day).ToList();
            var pairs = from positive in known where positive.Actual from negative in known where !negative.Actual select positive.Probability > negative.Probability ? 1.0 : positive.Probability == negative.Probability ? 0.5 : 0.0;
            ((double)row["auc"]!).ShouldBe(pairs.Average(), 1e-9);
            row["predictions"].ShouldBe((long)known.Count);
        }
    }

    [Fact]
    public async Task Calibration_averages_the_predictions_of_a_bin()
    {
        await using var store = await SampleStore.CreateAsync();
        foreach (var row in await RowsAsync(store, "Is the probability right"))
        {
            var bin = store.Scored.Where(s => Math.Min((int)(s.Probability * 10), 9) == (long)row["bin"]!).ToList();
            row["predictions"].ShouldBe((long)bin.Count);
            ((double)row["observed_rate"]!).ShouldBe(bin.Average(s => s.Actual ? 1.0 : 0.0), 1e-9);
        }
    }

    [Fact]
    public async Task What_the_model_missed_are_positives_least_likely_first()
    {
        await using var store = await SampleStore.CreateAsync();
        var rows = await RowsAsync(store, "What the model missed");
        rows.Select(r => (double)r["probability"]!).ShouldBe(store.Scored.Where(s => s.Actual).Select(s => s.Probability).Order().Take(20));
    }

    [Fact]
    public async Task A_prediction_leads_to_version_dataset_commits_runs_and_code()
    {
        await using var store = await SampleStore.CreateAsync();
        var rows = await RowsAsync(store, "From a prediction back");
        rows.Select(r => (r["read_for"], r["feature_group"], r["commit_id"], r["commit_run"], r["commit_code"])).ShouldBe(
            [("prediction", "departures", 1L, 1L, "abc-1"), ("prediction", "departures", 3L, 3L, "abc-3"), ("training", "departures", 1L, 1L, "abc-1"), ("training", "flight_outcomes", 2L, 1L, "abc-1")]);
        rows.ShouldAllBe(r => Equals(r["model"], "flight-delay") && Equals(r["version"], 2L) && Equals(r["dataset_hash"], "hash-2") && Equals(r["training_run"], 1L) && Equals(r["prediction_run"], 3L));
    }

    [Fact]
    public async Task Quarantine_is_counted_by_rule()
    {
        await using var store = await SampleStore.CreateAsync();
        var row = (await RowsAsync(store, "Why rows were kept out")).ShouldHaveSingleItem();
        (row["feature_group"], row["rows"], row["replayed"]).ShouldBe(("flight_outcomes", 2L, 1L));
    }

    [Fact]
    public async Task Freshness_counts_published_commits_only()
    {
        await using var store = await SampleStore.CreateAsync();
        var row = (await RowsAsync(store, "How fresh")).Single(r => Equals(r["feature_group"], "departures"));
        (row["rows"], row["commits"], row["latest_event"], row["complete_up_to"]).ShouldBe((180L, 2L, "2001-06-04 00:00:00", "2001-06-04 00:00:00"));
    }

    [Fact]
    public async Task Durations_are_in_seconds()
    {
        await using var store = await SampleStore.CreateAsync();
        var row = (await RowsAsync(store, "Where the time goes")).Single(r => Equals(r["step"], "delay-scoring"));
        (row["runs"], row["mean_seconds"], row["failed"]).ShouldBe((3L, 6.0, 1L));
    }

    [Fact]
    public async Task Coverage_of_outcomes_is_a_share()
    {
        await using var store = await SampleStore.CreateAsync();
        var rows = await RowsAsync(store, "How many outcomes");
        rows.Select(r => r["known"]).ShouldBe([1.0, 1.0, 0.5]);
        rows.ShouldAllBe(r => Equals(r["predictions"], (long)SampleStore.PredictionsPerDay));
    }

    [Fact]
    public async Task Every_column_that_the_page_documents_exists_and_none_is_left_out()
    {
        await using var store = await SampleStore.CreateAsync();
        var wrong = new List<string>();
        DocumentedColumns().Count().ShouldBeGreaterThan(20);
        foreach (var (table, documented) in DocumentedColumns())
        {
            var (_, rows) = await RunAsync(store, $"SELECT name FROM pragma_table_info('{table}')");
            var actual = rows.Select(r => (string)r[0]!).ToList();
            wrong.AddRange(documented.Except(actual).Select(c => $"{table}.{c} is documented and does not exist"));
            wrong.AddRange(actual.Except(documented).Select(c => $"{table}.{c} exists and is not documented"));
        }
        wrong.ShouldBeEmpty();
    }

    /// <summary>Sections "### `table`" with the names in backticks of the first cells of their tables, or of lines that list columns.</summary>
    private static IEnumerable<(string Table, List<string> Columns)> DocumentedColumns()
    {
        foreach (Match section in TableSection().Matches(Document))
        {
            var columns = new List<string>();
            foreach (var line in section.Groups["body"].Value.Split('\n'))
                if (line.StartsWith("| `", StringComparison.Ordinal))
                    columns.AddRange(Backticked().Matches(line[..line.IndexOf('|', 2)]).Select(m => m.Groups[1].Value));
                else if (line.StartsWith('`'))
                    columns.AddRange(Backticked().Matches(line).Select(m => m.Groups[1].Value));
            yield return (section.Groups["table"].Value, columns);
        }
    }

    private static async Task<List<Dictionary<string, object?>>> RowsAsync(SampleStore store, string title)
    {
        var (columns, rows) = await RunAsync(store, Queries.Single(q => q.Key.Contains(title, StringComparison.Ordinal)).Value);
        return [.. rows.Select(r => columns.Zip(r).ToDictionary(p => p.First, p => p.Second))];
    }

    private static async Task<(IReadOnlyList<string> Columns, List<object?[]> Rows)> RunAsync(SampleStore store, string sql)
    {
        var rows = new List<object?[]>();
        await using SqlResult result = await store.Database.QueryAsync(sql, TestContext.Current.CancellationToken);
        await foreach (var row in result.RowsAsync(TestContext.Current.CancellationToken))
            rows.Add(row);
        return (result.Columns, rows);
    }

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "AiWorkflows.sln")))
            directory = directory.Parent ?? throw new InvalidOperationException("AiWorkflows.sln was not found above the tests.");
        return directory.FullName;
    }

    [GeneratedRegex(@"^### (?<title>[^\n]+)\n(?:(?!^###)[^\n]*\n)*?```sql\n(?<sql>.*?)```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex QueryBlock();

    [GeneratedRegex(@"^### `(?<table>[a-z_]+)`\n(?<body>.*?)(?=^##|\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex TableSection();

    [GeneratedRegex("`([a-z0-9_]+)`")]
    private static partial Regex Backticked();

    [GeneratedRegex("^[a-z][a-z0-9_]*$")]
    private static partial Regex Identifier();
}
