using System.Globalization;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Looks at the file of the embedded engine.</summary>
internal static class SqliteChecks
{
    public static async Task<IReadOnlyList<DatabaseCheck>> RunAsync(SqliteDatabase database, CancellationToken ct)
    {
        await using var connection = await database.OpenReadAsync(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA quick_check(1)";
        if (await command.ExecuteScalarAsync(ct) as string is { } text && text != "ok")
            return [new("database", CheckState.Wrong, $"{database.Location} is damaged: {text}. Restore a backup.")];
        var megabytes = new FileInfo(database.Location).Length / 1048576.0;
        return [new("database", CheckState.Ok, string.Create(CultureInfo.InvariantCulture, $"{database.Location}, {megabytes:N1} MB, sound"))];
    }
}
