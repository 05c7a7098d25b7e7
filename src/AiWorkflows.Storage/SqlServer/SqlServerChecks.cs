namespace AiWorkflows.Storage.SqlServer;

/// <summary>Looks at server, settings and rights. Needs no right but to connect.</summary>
internal static class SqlServerChecks
{
    /// <summary>SQL Server 2019.</summary>
    private const int OldestVersion = 15;

    private const int OldestCompatibility = 130;
    private const string Roles = "db/sqlserver/roles.sql";

    private const string SelectServer = """
        SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS product_version, CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition,
            CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition, CAST(d.compatibility_level AS int) AS compatibility_level, d.collation_name,
            CAST(d.is_read_committed_snapshot_on AS int) AS is_snapshot_on, CAST(DATABASEPROPERTYEX(DB_NAME(), 'Updateability') AS nvarchar(128)) AS updateability,
            USER_NAME() AS user_name
        FROM sys.databases d WHERE d.database_id = DB_ID()
        """;

    private const string SelectMissingOnSchemas = """
        SELECT s.securable, r.permission
        FROM (VALUES (N'workflows'), (N'feature_store'), (N'model_registry'), (N'prediction_log'), (N'hangfire')) s (securable)
        CROSS JOIN (VALUES (N'SELECT'), (N'INSERT'), (N'UPDATE'), (N'DELETE')) r (permission)
        WHERE SCHEMA_ID(s.securable) IS NOT NULL AND COALESCE(HAS_PERMS_BY_NAME(s.securable, N'SCHEMA', r.permission), 0) = 0
        ORDER BY s.securable, r.permission
        """;

    // Rights on a schema can be taken away again from one of its tables.
    private const string SelectMissingOnTables = """
        SELECT s.name + N'.' + t.name AS securable, r.permission
        FROM sys.tables t
        JOIN sys.schemas s ON s.schema_id = t.schema_id
        CROSS JOIN (VALUES (N'SELECT'), (N'INSERT'), (N'UPDATE'), (N'DELETE')) r (permission)
        WHERE s.name IN (N'workflows', N'feature_store', N'model_registry', N'prediction_log') AND HAS_PERMS_BY_NAME(s.name, N'SCHEMA', r.permission) = 1
          AND COALESCE(HAS_PERMS_BY_NAME(QUOTENAME(s.name) + N'.' + QUOTENAME(t.name), N'OBJECT', r.permission), 0) = 0
        ORDER BY s.name, t.name, r.permission
        """;

    private const string SelectMissingToCreate = """
        SELECT r.securable, r.permission
        FROM (VALUES (N'database', N'CREATE TABLE'), (N'database', N'CREATE VIEW'), (N'database', N'CREATE PROCEDURE'), (N'database', N'CREATE SCHEMA')) r (securable, permission)
        WHERE COALESCE(HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', r.permission), 0) = 0
        UNION ALL
        SELECT s.securable, N'ALTER'
        FROM (VALUES (N'workflows'), (N'feature_store'), (N'model_registry'), (N'prediction_log')) s (securable)
        WHERE SCHEMA_ID(s.securable) IS NOT NULL AND COALESCE(HAS_PERMS_BY_NAME(s.securable, N'SCHEMA', N'ALTER'), 0) = 0
        """;

    public static async Task<IReadOnlyList<DatabaseCheck>> RunAsync(StoreDatabase database, CancellationToken ct)
    {
        var server = await database.ReadFirstAsync<ServerRow>(SelectServer, null, ct)
            ?? throw new InvalidRequestException($"{database.Location} does not show its own settings (sys.databases is empty for this user).");
        IReadOnlyList<MissingRight> missing =
            [.. await database.ReadAsync<MissingRight>(SelectMissingOnSchemas, null, ct), .. await database.ReadAsync<MissingRight>(SelectMissingOnTables, null, ct)];
        return
        [
            Version(database.Location, server),
            Settings(server),
            Rights(server, missing),
            Creation(await database.ReadAsync<MissingRight>(SelectMissingToCreate, null, ct)),
        ];
    }

    internal static DatabaseCheck Version(string location, ServerRow server)
    {
        var text = $"{location}, {server.Edition ?? "edition unknown"}, version {server.ProductVersion ?? "unknown"}, compatibility level {server.CompatibilityLevel}";
        if (server.CompatibilityLevel < OldestCompatibility)
            return new("database", CheckState.Wrong, $"{text}: levels below {OldestCompatibility} lack functions that are needed; ALTER DATABASE CURRENT SET COMPATIBILITY_LEVEL = 150");
        // Azure counts its versions differently, and is always new enough.
        var isAzure = server.EngineEdition is 5 or 8 or 11;
        return int.TryParse(server.ProductVersion?.Split('.')[0], out var major) && major < OldestVersion && !isAzure
            ? new("database", CheckState.Note, $"{text}: versions before SQL Server 2019 are not tested")
            : new("database", CheckState.Ok, text);
    }

    internal static DatabaseCheck Settings(ServerRow server)
    {
        if (server.Updateability == "READ_ONLY")
            return new("settings", CheckState.Wrong, $"the database is read-only; ALTER DATABASE CURRENT SET READ_WRITE, or name the primary replica in AiWorkflows:ConnectionString");
        var notes = new List<string>();
        if (server.IsSnapshotOn != 1)
            notes.Add($"READ COMMITTED SNAPSHOT is off, so readers wait for writers; ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE");
        if (IsUnusual(server.CollationName))
            notes.Add($"the collation {server.CollationName} is unusual for a database: own queries have to spell names as they are; keys compare by their bytes in any case");
        return notes.Count > 0 ? new("settings", CheckState.Note, string.Join("; ", notes)) : new("settings", CheckState.Ok, $"READ COMMITTED SNAPSHOT is on, collation {server.CollationName}");
    }

    internal static DatabaseCheck Rights(ServerRow server, IReadOnlyList<MissingRight> missing) => missing.Count == 0
        ? new("permissions", CheckState.Ok, $"{server.UserName} may read and write every table")
        : new("permissions", CheckState.Wrong, $"{server.UserName} lacks {Listed(missing)}; add the user to the role aiworkflows_host ({Roles})");

    internal static DatabaseCheck Creation(IReadOnlyList<MissingRight> missing) => missing.Count == 0
        ? new("migrations", CheckState.Ok, "this user may create tables")
        : new("migrations", CheckState.Note, $"this user may not create tables (it lacks {Listed(missing)}): somebody who may runs migrate, or its script, before a new version or feature group");

    private static string Listed(IReadOnlyList<MissingRight> missing) =>
        string.Join("; ", missing.GroupBy(m => m.Securable, StringComparer.Ordinal).Select(g => $"{string.Join(", ", g.Select(m => m.Permission))} on {g.Key}"));

    /// <summary>Case-sensitive and binary ones tell names apart by case; Turkish ones fold the letter i in their own way.</summary>
    private static bool IsUnusual(string? collation) => collation is not null
        && (collation.Contains("_CS_", StringComparison.Ordinal) || collation.EndsWith("_BIN", StringComparison.Ordinal) || collation.EndsWith("_BIN2", StringComparison.Ordinal)
            || collation.StartsWith("Turkish", StringComparison.Ordinal) || collation.StartsWith("Azeri", StringComparison.Ordinal));

    internal sealed class ServerRow
    {
        public string? ProductVersion { get; set; }

        public string? Edition { get; set; }

        public int? EngineEdition { get; set; }

        public int CompatibilityLevel { get; set; }

        public string? CollationName { get; set; }

        public int? IsSnapshotOn { get; set; }

        public string? Updateability { get; set; }

        public string? UserName { get; set; }
    }

    internal sealed class MissingRight
    {
        public string Securable { get; set; } = "";

        public string Permission { get; set; } = "";
    }
}
