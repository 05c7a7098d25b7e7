using System.Text.Json;
using AiWorkflows.Hosting.Security;

namespace AiWorkflows.Tests.Cli;

public sealed class KeyCommandTests
{
    private static readonly string Me = $"{Environment.UserName}@{Environment.MachineName}";

    [Fact]
    public async Task A_key_is_printed_once_alone_and_only_its_hash_is_kept()
    {
        await using var host = new ShopHost();
        var made = await host.RunAsync("keys", "create", "ci", "--role", "operator");

        made.Code.ShouldBe(0, made.ToString());
        var key = made.Out.Trim();
        key.ShouldMatch("^awk_[a-z2-9]{10}_[A-Za-z0-9_-]{43}$");
        made.Error.ShouldContain("it cannot be shown again");
        made.Error.ShouldNotContain(key);

        var stored = (await host.RunAsync("sql", "SELECT * FROM workflows_api_keys", "--json")).Out;
        stored.ShouldContain(ApiKey.HashOf(key));
        foreach (var file in Directory.EnumerateFiles(host.Directory, "*", SearchOption.AllDirectories))
            (await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)).AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(key[15..])).ShouldBe(-1, file);
        (await host.RunAsync("keys", "list")).Out.ShouldNotContain(key);
    }

    [Fact]
    public async Task Keys_are_listed_revoked_and_both_are_on_record()
    {
        await using var host = new ShopHost();
        (await host.RunAsync("keys", "list")).Out.ShouldStartWith("No keys;");
        (await host.RunAsync("keys", "create", "ci", "--role", "operator")).Code.ShouldBe(0);
        (await host.RunAsync("keys", "create", "ada", "--role", "viewer", "--expires", "2100-01-01")).Code.ShouldBe(0);
        (await host.RunAsync("keys", "revoke", "ci")).Out.ShouldContain("The key of ci is revoked");
        (await host.RunAsync("keys", "create", "ci", "--role", "viewer")).Code.ShouldBe(0);

        using var json = JsonDocument.Parse((await host.RunAsync("keys", "list", "--json")).Out);
        json.RootElement.EnumerateArray().Select(k => (k.GetProperty("name").GetString(), k.GetProperty("role").GetString(), k.GetProperty("state").GetString(), k.GetProperty("created_by").GetString()))
            .ShouldBe([("ci", "operator", "revoked", Me), ("ada", "viewer", "active", Me), ("ci", "viewer", "active", Me)]);
        var audit = (await host.RunAsync("sql", "SELECT done_by || ' ' || action || ' ' || subject || ' ' || coalesce(done_from, 'here') AS line FROM workflows_audit ORDER BY audit_id")).Out;
        audit.ShouldContain($"{Me} key-create key ci here");
        audit.ShouldContain($"{Me} key-revoke key ci here");
    }

    [Theory]
    [InlineData("Say what ci may do: --role viewer", "create", "ci")]
    [InlineData("did you mean operator?", "create", "ci", "--role", "operater")]
    [InlineData("is no name of a key", "create", "a b", "--role", "viewer")]
    [InlineData("That is a key, not the name of one", "create", "awk_abc", "--role", "viewer")]
    [InlineData("has passed", "create", "ci", "--role", "viewer", "--expires", "2001-01-01")]
    [InlineData("Unknown key 'nobody'", "revoke", "nobody")]
    public async Task Mistakes_are_exit_code_2_and_say_what_to_do(string message, params string[] args)
    {
        await using var host = new ShopHost();
        var result = await host.RunAsync(["keys", .. args]);
        result.Code.ShouldBe(2, result.ToString());
        result.Error.ShouldContain(message);
    }

    [Fact]
    public async Task The_doctor_says_who_has_to_sign_in()
    {
        await using var host = new ShopHost();
        (await host.RunAsync("keys", "list")).Code.ShouldBe(0);
        (await host.RunAsync("doctor")).Out.ShouldContain("nobody has to, so only this machine's user");
        (await host.RunAsync("keys", "create", "ci", "--role", "operator")).Code.ShouldBe(0);
        (await host.RunAsync("keys", "create", "ada", "--role", "viewer")).Code.ShouldBe(0);
        (await host.RunAsync("doctor")).Out.ShouldContain("everybody has to: 2 keys in force, 1 of an operator");
        (await host.RunAsync("keys", "revoke", "ci")).Code.ShouldBe(0);
        (await host.RunAsync("keys", "revoke", "ada")).Code.ShouldBe(0);
        (await host.RunAsync("doctor")).Out.ShouldContain("0 keys in force, 0 of an operator; nobody can, until `keys create` makes one");
    }

    [Fact]
    public async Task A_name_that_is_in_use_is_refused_whether_the_database_or_the_configuration_has_it()
    {
        await using var host = new ShopHost();
        host.Settings["AiWorkflows:Security:ApiKeys:robot:Hash"] = new string('a', 64);
        host.Settings["AiWorkflows:Security:ApiKeys:robot:Role"] = "viewer";
        (await host.RunAsync("keys", "create", "ci", "--role", "viewer")).Code.ShouldBe(0);
        (await host.RunAsync("keys", "create", "ci", "--role", "viewer")).Error.ShouldContain("There is a key named ci already");
        (await host.RunAsync("keys", "create", "robot", "--role", "viewer")).Error.ShouldContain("The configuration has a key named robot already");
        (await host.RunAsync("keys", "revoke", "robot")).Error.ShouldContain("take it out there");
        (await host.RunAsync("keys", "list")).Out.ShouldContain("configured");
    }
}
