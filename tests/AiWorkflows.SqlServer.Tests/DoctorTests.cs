using AiWorkflows.Storage;
using AiWorkflows.Storage.SqlServer;

namespace AiWorkflows.SqlServer.Tests;

/// <summary>What doctor says about a server, whatever the server is.</summary>
public sealed class DoctorTests
{
    private const string Secret = "top-secret";

    private static readonly SqlServerDatabase Database = new($"Server=db.example;Database=ai]flows;User ID=robot;Password={Secret}");

    [Theory]
    [InlineData("15.0.4410.1", 3, 150, CheckState.Ok, "15.0.4410.1")]
    [InlineData("14.0.3456.2", 3, 140, CheckState.Note, "before SQL Server 2019")]
    [InlineData("12.0.2000.8", 5, 170, CheckState.Ok, "12.0.2000.8")]
    [InlineData("16.0.1000.6", 3, 120, CheckState.Wrong, "ALTER DATABASE CURRENT SET COMPATIBILITY_LEVEL")]
    [InlineData(null, null, 150, CheckState.Ok, "version unknown")]
    internal void A_version_is_judged_by_its_number_and_its_kind(string? version, int? kind, int level, CheckState state, string says)
    {
        var check = SqlServerChecks.Version(Database.Location, new() { ProductVersion = version, EngineEdition = kind, CompatibilityLevel = level });
        check.State.ShouldBe(state);
        check.Detail.ShouldContain(says);
        check.Detail.ShouldNotContain(Secret);
    }

    [Theory]
    [InlineData(1, "Latin1_General_CI_AS", "READ_WRITE", CheckState.Ok, "is on")]
    [InlineData(0, "Latin1_General_CI_AS", "READ_WRITE", CheckState.Note, "SET READ_COMMITTED_SNAPSHOT ON")]
    [InlineData(1, "Latin1_General_CS_AS", "READ_WRITE", CheckState.Note, "Latin1_General_CS_AS is unusual")]
    [InlineData(1, "Turkish_CI_AS", "READ_WRITE", CheckState.Note, "Turkish_CI_AS is unusual")]
    [InlineData(0, "Latin1_General_100_BIN2", "READ_WRITE", CheckState.Note, "READ COMMITTED SNAPSHOT is off")]
    [InlineData(1, "Latin1_General_CI_AS", "READ_ONLY", CheckState.Wrong, "read-only")]
    internal void Settings_that_work_but_could_be_better_are_notes(int snapshot, string collation, string updateability, CheckState state, string says)
    {
        var check = SqlServerChecks.Settings(new() { IsSnapshotOn = snapshot, CollationName = collation, Updateability = updateability });
        (check.State, check.Detail.Contains(says, StringComparison.Ordinal)).ShouldBe((state, true), check.Detail);
    }

    [Fact]
    public void Each_right_that_is_missing_is_named_with_the_role_that_has_it()
    {
        var check = SqlServerChecks.Rights(new() { UserName = "robot" }, [Missing("workflows", "INSERT"), Missing("workflows", "SELECT"), Missing("prediction_log.outcomes", "DELETE")]);
        (check.State, check.Detail).ShouldBe((CheckState.Wrong, "robot lacks INSERT, SELECT on workflows; DELETE on prediction_log.outcomes; add the user to the role aiworkflows_host (db/sqlserver/roles.sql)"));
        SqlServerChecks.Rights(new() { UserName = "robot" }, []).State.ShouldBe(CheckState.Ok);
    }

    [Fact]
    public void Not_being_allowed_to_create_tables_is_a_note() =>
        SqlServerChecks.Creation([Missing("database", "CREATE TABLE"), Missing("feature_store", "ALTER")]).ShouldBe(new("migrations", CheckState.Note,
            "this user may not create tables (it lacks CREATE TABLE on database; ALTER on feature_store): somebody who may runs migrate, or its script, before a new version or feature group"));

    private static SqlServerChecks.MissingRight Missing(string securable, string permission) => new() { Securable = securable, Permission = permission };
}
