using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Tests.Cli;

/// <summary>Commands that change something, and those about the store.</summary>
public sealed class ActingCommandTests(FinishedShop shop) : IClassFixture<FinishedShop>
{
    private static readonly string Me = $"{Environment.UserName}@{Environment.MachineName}";

    [Fact]
    public async Task A_workflow_is_paused_by_somebody_and_resumed()
    {
        await using var copy = shop.Copy();
        (await copy.RunAsync("workflows", "pause", "shop")).Out.ShouldContain("shop is paused");
        (await copy.RunAsync("workflows", "list")).Out.ShouldContain($"paused by {Me}");
        (await copy.RunAsync("workflows", "show", "shop")).Out.ShouldContain($"0 3 * * *, paused by {Me}");
        (await copy.RunAsync("workflows", "resume", "shop")).Out.ShouldContain("shop follows its schedule again (0 3 * * *, UTC).");
        (await copy.RunAsync("workflows", "list")).Out.ShouldNotContain("paused");
        (await copy.RunAsync("sql", "SELECT done_by, action, subject FROM workflows_audit ORDER BY audit_id DESC LIMIT 2")).Out.ShouldMatch($@"{Me} +resume +workflow shop\s+{Me} +pause +workflow shop");
    }

    [Fact]
    public async Task Versions_are_promoted_aliased_and_rolled_back_with_history()
    {
        await using var copy = shop.Copy();
        (await copy.RunAsync("run", "shop", "--from", "2024-02-01", "--to", "2024-02-02")).Code.ShouldBe(0);

        (await copy.RunAsync("models", "rollback", "buy")).Error.ShouldContain("Version 1 is the first champion of buy: there is none before it to go back to.");
        (await copy.RunAsync("models", "promote", "buy", "7")).Error.ShouldContain("Model buy has no version 7: there are 1, 2.");
        (await copy.RunAsync("models", "promote", "buy", "two")).Error.ShouldContain("'two' is no version of buy");
        (await copy.RunAsync("models", "promote", "buy", "1")).Out.ShouldContain("Version 1 of buy is champion already; nothing was changed.");
        (await copy.RunAsync("models", "promote", "buy", "2", "--reason", "looks better")).Out.ShouldContain("Version 2 of buy is champion now; before it was version 1.");
        (await copy.RunAsync("models", "alias", "buy", "challenger", "v1")).Out.ShouldContain("Version 1 of buy is challenger now.");
        (await copy.RunAsync("models", "alias", "buy", "Not A Name", "1")).Error.ShouldContain("is no name of an alias");
        (await copy.RunAsync("models", "rollback", "buy")).Out.ShouldContain("Version 1 of buy is champion now; before it was version 2.");

        using var json = JsonDocument.Parse((await copy.RunAsync("models", "show", "buy", "--json")).Out);
        json.RootElement.GetProperty("alias_history").EnumerateArray().Take(3)
            .Select(h => (h.GetProperty("alias").GetString(), h.GetProperty("version").GetInt32(), h.GetProperty("changed_by").GetString(), h.GetProperty("reason").GetString()))
            .ShouldBe([("champion", 1, Me, "rolled back from version 2"), ("challenger", 1, Me, "set by hand"), ("champion", 2, Me, "looks better")]);
        json.RootElement.GetProperty("versions").EnumerateArray().Last().GetProperty("aliases").GetString()!.Split(", ").ShouldBe(["champion", "challenger"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_model_is_reproduced_to_the_bit_and_a_difference_is_exit_code_1()
    {
        await using var copy = shop.Copy();
        var identical = await copy.RunAsync("models", "reproduce", "buy", "1");
        identical.Code.ShouldBe(0, identical.ToString());
        identical.Out.ShouldStartWith("buy v1: identical");

        Change(copy, "UPDATE model_registry_versions SET content_sha256 = 'another' WHERE version = 1");
        var different = await copy.RunAsync("models", "reproduce", "buy", "1", "--json");
        different.Code.ShouldBe(1, different.ToString());
        using var json = JsonDocument.Parse(different.Out);
        (json.RootElement.GetProperty("dataset_identical").GetBoolean(), json.RootElement.GetProperty("model_identical").GetBoolean()).ShouldBe((true, false));
    }

    [Fact]
    public async Task A_query_gives_a_table_tabs_or_JSON()
    {
        var table = await shop.Host.RunAsync("sql", "SELECT model, version, primary_value > 0.5 AS good, NULL AS missing FROM model_registry_versions");
        table.Out.ReplaceLineEndings("\n").ShouldBe("model  version  good  missing\nbuy          1     1        -\n");
        const string many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) SELECT i, 'x' AS x FROM n";
        var first = await shop.Host.RunAsync("sql", many);
        first.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(1001);
        first.Error.ShouldContain("These are the first 1,000 rows; --all prints all of them.");
        var all = await shop.Host.RunAsync("sql", many, "--all");
        all.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2501);
        all.Out.ShouldContain("2500\tx");
        using var json = JsonDocument.Parse((await shop.Host.RunAsync("sql", many, "--json")).Out);
        json.RootElement.GetArrayLength().ShouldBe(2500);
        json.RootElement[2499].GetProperty("i").GetInt64().ShouldBe(2500);
        using var empty = JsonDocument.Parse((await shop.Host.RunAsync("sql", "SELECT 1 AS a WHERE 1 = 0", "--json")).Out);
        empty.RootElement.GetArrayLength().ShouldBe(0);
        (await shop.Host.RunAsync("sql", "SELECT 1 AS a WHERE 1 = 0")).Out.ShouldContain("No rows.");
    }

    [Theory]
    [InlineData("SELECT * FROM runs", "no such table: runs")]
    [InlineData("SELEC 1", "syntax error")]
    [InlineData("DELETE FROM workflows_runs", "would write")]
    [InlineData("CREATE TABLE t (a)", "would write")]
    [InlineData("", "quer")]
    public async Task A_query_that_is_wrong_or_writes_is_refused_in_one_line(string query, string message)
    {
        var result = await shop.Host.RunAsync("sql", query);
        result.Code.ShouldBe(2, result.ToString());
        result.Out.ShouldBeEmpty();
        result.Error.ShouldContain(message);
        result.Error.TrimEnd().ShouldNotContain("\n");
    }

    [Fact]
    public async Task A_backup_is_a_whole_database_and_overwrites_nothing()
    {
        var file = Path.Combine(shop.Host.Directory, $"backup-{Guid.NewGuid():N}.db");
        var result = await shop.Host.RunAsync("backup", file);
        result.Code.ShouldBe(0, result.ToString());
        result.Out.ShouldContain(file);
        await using (var connection = new SqliteConnection($"Data Source={file};Pooling=false"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT count(*) FROM prediction_log_scored";
            command.ExecuteScalar().ShouldBe(398L);
        }
        var again = await shop.Host.RunAsync("backup", file);
        (again.Code, again.Error.Contains("exists already", StringComparison.Ordinal)).ShouldBe((2, true));
    }

    [Fact]
    public async Task Migrations_are_printed_without_a_database_and_applied_once()
    {
        await using var host = new ShopHost();
        var script = await host.RunAsync("migrate", "--script");
        script.Code.ShouldBe(0, script.ToString());
        script.Out.ShouldContain("-- 0001_initial");
        script.Out.ShouldContain("CREATE TABLE workflows_runs");
        script.Out.ShouldContain("CREATE TABLE feature_store_visits_v1_rows");
        Directory.Exists(host.DataDirectory).ShouldBeFalse();

        (await host.RunAsync("migrate")).Out.ShouldMatch(@"applied 0001_initial\s+applied 0002_views[\s\S]*is up to date\.");
        (await host.RunAsync("migrate")).Out.ShouldNotContain("applied");
        var nothing = await host.RunAsync("migrate", "--script");
        (nothing.Code, nothing.Out).ShouldBe((0, ""));
        nothing.Error.ShouldContain("Nothing to apply");
    }

    [Fact]
    public async Task A_database_made_by_the_printed_script_needs_nothing_more()
    {
        await using var host = new ShopHost();
        var script = await host.RunAsync("migrate", "--script");
        Directory.CreateDirectory(host.DataDirectory);
        using (var connection = new SqliteConnection($"Data Source={Path.Combine(host.DataDirectory, "aiworkflows.db")};Pooling=false"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = script.Out;
            command.ExecuteNonQuery();
        }
        var nothing = await host.RunAsync("migrate", "--script");
        (nothing.Code, nothing.Out).ShouldBe((0, ""));
        (await host.RunAsync("migrate")).Out.ShouldNotContain("applied");
        (await host.RunAsync("features", "list")).Out.ShouldContain("visits");
    }

    [Fact]
    public async Task A_database_of_a_newer_version_or_with_an_edited_migration_is_refused()
    {
        await using var host = new ShopHost();
        (await host.RunAsync("migrate")).Code.ShouldBe(0);
        Change(host, "UPDATE workflows_schema_versions SET sha256 = 'edited' WHERE script LIKE '%0001%'");
        var edited = await host.RunAsync("runs", "list");
        (edited.Code, edited.Out).ShouldBe((2, ""));
        edited.Error.ShouldContain("was edited after it had been applied");
        (await host.RunAsync("doctor")).Code.ShouldBe(1);
        Change(host, "INSERT INTO workflows_schema_versions (script, sha256, applied_at) VALUES ('0999_future', 'x', 0)");
        (await host.RunAsync("runs", "list")).Error.ShouldContain("newer version");
    }

    [Fact]
    public async Task Doctor_changes_nothing_and_names_what_is_wrong()
    {
        await using var host = new ShopHost();
        var healthy = await host.RunAsync("doctor");
        healthy.Code.ShouldBe(0, healthy.ToString());
        healthy.Out.ShouldContain("does not exist yet");
        Directory.Exists(host.DataDirectory).ShouldBeFalse();

        host.Settings["AiWorkflows:Workers:Features"] = "none";
        var wrong = await host.RunAsync("doctor");
        wrong.Code.ShouldBe(1, wrong.ToString());
        wrong.Out.ShouldMatch("configuration +wrong +.*Workers:Features");
    }

    private static void Change(ShopHost host, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(host.DataDirectory, "aiworkflows.db")};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery().ShouldBePositive();
    }
}
