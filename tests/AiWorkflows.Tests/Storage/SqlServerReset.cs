using AiWorkflows.Storage.SqlServer;
using Respawn;
using Respawn.Graph;

namespace AiWorkflows.Tests.Storage;

/// <summary>Empties a database between tests: the tables of feature groups go, the fixed ones stay and lose their rows.</summary>
internal static class SqlServerReset
{
    private static Respawner? _respawner;

    public static async Task ResetAsync(SqlServerDatabase database)
    {
        var groups = await database.ReadAsync<(string Group, int Version)>("SELECT feature_group, version FROM {feature_store.feature_groups}", null, default);
        await using var connection = await database.OpenAsync(default);
        foreach (var (group, version) in groups)
        {
            await SqlServerDatabase.ExecuteAsync(connection, $"DROP VIEW IF EXISTS feature_store.{group}_v{version}", default);
            await SqlServerDatabase.ExecuteAsync(connection, $"DROP TABLE IF EXISTS {SqlServerGroupTable.Table(group, version)}", default);
        }
        _respawner ??= await Respawner.CreateAsync(connection, new RespawnerOptions
        {
            DbAdapter = DbAdapter.SqlServer,
            TablesToIgnore = [new Table("workflows", "schema_versions"), new Table("feature_store", "publication_clock")],
        });
        await _respawner.ResetAsync(connection);
        await SqlServerDatabase.ExecuteAsync(connection, "UPDATE feature_store.publication_clock SET seq = 0, published_at = '1970-01-01T00:00:00'", default);
    }
}
