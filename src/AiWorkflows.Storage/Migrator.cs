using System.Security.Cryptography;
using System.Text;
using DbUp.Builder;
using DbUp.Engine;
using DbUp.Engine.Output;

namespace AiWorkflows.Storage;

/// <summary>Brings the database to the schema of this code: DbUp with a journal that also knows what each script contained.</summary>
internal abstract class Migrator(StoreDatabase database, IReadOnlyList<(string Name, string Sql)>? scripts = null)
{
    private readonly IReadOnlyList<(string Name, string Sql)> _scripts = scripts ?? Embedded(database.Engine);

    protected StoreDatabase Database => database;

    /// <summary>Creates the database where there is none, and applies what is missing. Safe when several processes start at once.</summary>
    /// <exception cref="InvalidRequestException">The database cannot be written, is newer than this code, or an applied script was edited.</exception>
    public async Task MigrateAsync(CancellationToken ct)
    {
        try
        {
            if (Exists() && Check(Applied()).Count == 0)
                return;
            await using var held = await LockAsync(ct);
            Prepare();
            if (Check(Applied()) is { Count: > 0 } missing)
                Apply(missing);
        }
        catch (Exception e) when (database.Explain(e) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>The scripts that have not been applied yet, in order; all where there is no database.</summary>
    public IReadOnlyList<(string Name, string Sql)> Pending()
    {
        try
        {
            return Check(Exists() ? Applied() : []);
        }
        catch (Exception e) when (database.Explain(e) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>Whether nothing has been applied yet.</summary>
    public bool IsEmpty() => Pending().Count == _scripts.Count;

    /// <summary>The pending scripts as they would run, each followed by its entry in the journal.</summary>
    public string Script()
    {
        var text = new StringBuilder();
        var pending = Pending();
        if (pending.Count > 0)
            text.Append("-- journal").Append('\n').Append(database.Sql("{create_journal}").TrimEnd(';', '\n')).Append(database.BatchSeparator).Append('\n');
        foreach (var (name, sql) in pending)
            text.Append("-- ").Append(name).Append('\n').Append(sql.TrimEnd()).Append(database.BatchSeparator.TrimStart(';'))
                .Append(database.Sql($$"""INSERT INTO {workflows.schema_versions} (script, sha256, applied_at) VALUES ('{{name}}', '{{Hash(sql)}}', {now})""")).Append(database.BatchSeparator).Append('\n');
        return text.ToString();
    }

    /// <summary>The hash of a script, whatever the line ends of the checkout.</summary>
    public static string Hash(string sql) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql.ReplaceLineEndings("\n"))));

    protected abstract bool Exists();

    /// <summary>Name and hash of every applied script; empty where the journal does not exist.</summary>
    protected abstract IReadOnlyList<AppliedScript> Applied();

    /// <summary>Held while scripts are applied; waits for another process that holds it.</summary>
    protected abstract Task<IAsyncDisposable> LockAsync(CancellationToken ct);

    /// <summary>Creates the database and sets what cannot be set inside a transaction.</summary>
    protected abstract void Prepare();

    protected abstract UpgradeEngineBuilder Deploy();

    /// <summary>The scripts whose names begin with a number; what stands beside them is for people.</summary>
    private static IReadOnlyList<(string, string)> Embedded(string engine)
    {
        var assembly = typeof(Migrator).Assembly;
        var folder = $"db/{engine}/";
        return [.. assembly.GetManifestResourceNames().Where(n => n.StartsWith(folder, StringComparison.Ordinal) && char.IsAsciiDigit(n[folder.Length])).Order(StringComparer.Ordinal).Select(n =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(n)!);
            return (Path.GetFileNameWithoutExtension(n[folder.Length..]), reader.ReadToEnd());
        })];
    }

    private List<(string Name, string Sql)> Check(IReadOnlyList<AppliedScript> applied)
    {
        var known = _scripts.ToDictionary(s => s.Name, s => s.Sql, StringComparer.Ordinal);
        if (applied.FirstOrDefault(a => !known.ContainsKey(a.Script)) is { } newer)
            throw new InvalidRequestException($"{database.Location} was written by a newer version of this program: it has the migration {newer.Script}, and this program ends at {_scripts[^1].Name}. Use the newer version, or restore a backup made before the upgrade.");
        if (applied.FirstOrDefault(a => a.Sha256 != Hash(known[a.Script])) is { } edited)
            throw new InvalidRequestException($"The migration {edited.Script} was edited after it had been applied to {database.Location}. Restore the file as it was, and put the change into a new migration.");
        var done = applied.Select(a => a.Script).ToHashSet(StringComparer.Ordinal);
        return [.. _scripts.Where(s => !done.Contains(s.Name))];
    }

    private void Apply(List<(string Name, string Sql)> missing)
    {
        var builder = Deploy()
            .WithScripts(_scripts.Select(s => new SqlScript(s.Name, s.Sql)))
            .WithTransactionPerScript().WithVariablesDisabled().LogTo(new NoOpUpgradeLog());
        builder.Configure(c => c.Journal = new HashingJournal(database, () => c.ConnectionManager));
        var result = builder.Build().PerformUpgrade();
        if (!result.Successful && database.LacksRights(result.Error))
            throw new InvalidRequestException(
                $"{database.Location} lacks {string.Join(", ", missing.Select(s => s.Name))}, and this user may not create tables there. Let somebody who may run the command migrate, or the output of migrate --script."
                + (missing.Count == _scripts.Count ? " If that has been done, this user may not see the tables: add it to the role aiworkflows_host (db/sqlserver/roles.sql)." : ""), result.Error);
        if (!result.Successful)
            throw database.Explain(result.Error) ?? new AiWorkflowsException(
                $"{(result.ErrorScript is { } script ? $"The migration {script.Name} of" : "Preparing the migrations of")} {database.Location} failed and was rolled back: {result.Error.Message}", result.Error);
    }
}

/// <summary>A row of the journal.</summary>
internal sealed record AppliedScript(string Script, string Sha256);
