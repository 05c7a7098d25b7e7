using System.CommandLine;
using System.Text.Json;
using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>backup</c>, <c>sql</c> and <c>migrate</c></summary>
internal static class StoreCommands
{
    private const int FirstRows = 1000;

    /// <summary>Creates the database where there is none, and brings it to the schema of this program.</summary>
    public static async Task MigrateAsync(CliContext context, CancellationToken ct)
    {
        var settings = context.Get<HostSettings>();
        if (settings.IsShared)
        {
            await context.Get<Migrator>().MigrateAsync(ct);
            return;
        }
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(settings.DatabasePath)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidRequestException($"The directory of the database, {Path.GetDirectoryName(settings.DatabasePath)}, cannot be created: {e.Message} Set AiWorkflows:DataDirectory to one that can be written.", e);
        }
        await context.Get<Migrator>().MigrateAsync(ct);
    }

    public static Command Backup(CliContext context)
    {
        var file = Build.Name("FILE", "The new file; nothing is overwritten.");
        return Build.Acting(context, "backup", "Writes a consistent copy of the database while it is in use.", async i =>
        {
            await context.Get<StoreDatabase>().BackupAsync(i.Value(file), i.Ct);
            var copy = new FileInfo(i.Value(file));
            i.Output.Line($"{copy.FullName}, {Format.Bytes(copy.Length)}. To restore it, stop the host and put it in the place of {context.Get<StoreDatabase>().Location} (delete the -wal and -shm files beside it).");
            return 0;
        }, file);
    }

    public static Command Query(CliContext context)
    {
        var query = Build.Name("QUERY", "A SELECT; docs/sql.md lists tables and views.");
        var all = Build.Flag("--all", $"Print all rows, not only the first {FirstRows:N0}.");
        return Build.Reading(context, "sql", "Runs a read-only query against the store.", i => QueryAsync(i, i.Value(query), i.Value(all)), query, all);
    }

    private static async Task QueryAsync(Invocation i, string query, bool all)
    {
        await using var result = await i.Context.Get<StoreDatabase>().QueryAsync(query, i.Ct);
        if (result.Columns.Count == 0)
            throw new InvalidRequestException("Only queries are allowed here; this statement gives no rows. Write SELECT …");
        if (i.Output.IsJson)
            await WriteJsonAsync(i, result);
        else if (all && !i.Output.Console.IsTerminal)
            await WriteTabsAsync(i, result);
        else
            await WriteTableAsync(i, result, all ? int.MaxValue : FirstRows);
    }

    /// <summary>Row by row: a result has no limit here.</summary>
    private static async Task WriteJsonAsync(Invocation i, SqlResult result)
    {
        var output = i.Output.Console.Out;
        var names = result.Columns.Select(c => JsonSerializer.Serialize(c, JsonShape.Options)).ToArray();
        var first = true;
        await output.WriteAsync("[");
        await foreach (var row in result.RowsAsync(i.Ct))
        {
            await output.WriteAsync(first ? "\n  {" : ",\n  {");
            for (var c = 0; c < row.Length; c++)
                await output.WriteAsync($"{(c == 0 ? "" : ", ")}{names[c]}: {JsonSerializer.Serialize(row[c] is byte[] bytes ? Convert.ToHexStringLower(bytes) : row[c], JsonShape.Options)}");
            await output.WriteAsync("}");
            first = false;
        }
        await output.WriteLineAsync(first ? "]" : "\n]");
    }

    /// <summary>All rows cannot be aligned without holding them: tabs between the values instead.</summary>
    private static async Task WriteTabsAsync(Invocation i, SqlResult result)
    {
        var output = i.Output.Console.Out;
        await output.WriteLineAsync(string.Join('\t', result.Columns));
        await foreach (var row in result.RowsAsync(i.Ct))
            await output.WriteLineAsync(string.Join('\t', row.Select(v => Format.Value(v).ReplaceLineEndings(" ").Replace('\t', ' '))));
    }

    private static async Task WriteTableAsync(Invocation i, SqlResult result, int limit)
    {
        var rows = new List<string[]>();
        var right = result.Columns.Select(_ => true).ToArray();
        var more = false;
        await foreach (var row in result.RowsAsync(i.Ct))
        {
            if (more = rows.Count == limit)
                break;
            for (var c = 0; c < row.Length; c++)
                right[c] &= row[c] is null or long or double;
            rows.Add([.. row.Select(v => Format.OneLine(Format.Value(v), 500))]);
        }
        i.Output.Cells([.. result.Columns], rows.Count == 0 ? new bool[right.Length] : right, rows);
        if (rows.Count == 0)
            i.Output.Line("No rows.");
        if (more)
            await i.Output.Console.Error.WriteLineAsync($"These are the first {Format.Count(limit)} rows; --all prints all of them.");
    }

    public static Command Migrate(CliContext context)
    {
        var script = Build.Flag("--script", "Print what would be applied, for a DBA, and change nothing.");
        return Build.Acting(context, "migrate", "Brings the database to the schema of this program.", i => i.Value(script) ? ScriptAsync(i) : ApplyAsync(i), script);
    }

    private static async Task<int> ScriptAsync(Invocation i)
    {
        var migrator = i.Context.Get<Migrator>();
        var isEmpty = migrator.IsEmpty();
        var script = migrator.Script() + await i.Context.Get<FeatureStore>().ScriptAsync(i.Context.Catalog.Groups, isEmpty, i.Ct);
        if (i.Context.Get<HostSettings>().IsShared && isEmpty)
            script += "-- Hangfire\n" + SqlServerJobs.Script() + "\nGO\n";
        if (script.Length == 0)
            await i.Output.Console.Error.WriteLineAsync($"Nothing to apply: {i.Context.Get<StoreDatabase>().Location} is up to date.");
        else
            i.Output.Line(script.TrimEnd());
        return 0;
    }

    private static async Task<int> ApplyAsync(Invocation i)
    {
        var pending = i.Context.Get<Migrator>().Pending();
        await MigrateAsync(i.Context, i.Ct);
        await i.Context.Get<RunEngine>().RegisterAsync(i.Ct);
        if (i.Context.Get<HostSettings>().IsShared)
            await SqlServerJobs.PrepareAsync(i.Context.Get<StoreDatabase>(), i.Ct);
        foreach (var (name, _) in pending)
            i.Output.Line($"applied {name}");
        i.Output.Line($"{i.Context.Get<StoreDatabase>().Location} is up to date.");
        return 0;
    }
}
