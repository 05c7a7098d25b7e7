using System.Data.Common;
using AiWorkflows.Storage;
using Hangfire.SqlServer;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>Hangfire's own tables in the database of the stores, shared by all hosts.</summary>
internal static class SqlServerJobs
{
    private const string Schema = "hangfire";

    public static SqlServerStorage Create(string connectionString, TimeSpan keepFinishedJobs) => new(StorageServices.SqlServerConnections(connectionString), new SqlServerStorageOptions
    {
        SchemaName = Schema,
        // Prepared beside the migrations, where a failure has a reader; here it would make every command wait for a database that is away.
        PrepareSchemaIfNecessary = false,
        TryAutoDetectSchemaDependentOptions = false,
        // A host that dies between taking a job and claiming its step is noticed by this alone. A job that is taken twice does no harm: the ledger's claim decides.
        SlidingInvisibilityTimeout = TimeSpan.FromMinutes(1),
        CommandBatchMaxTimeout = TimeSpan.FromMinutes(5),
        // Zero: an idle worker waits inside of one query instead of asking again and again.
        QueuePollInterval = TimeSpan.Zero,
        UseRecommendedIsolationLevel = true,
        DisableGlobalLocks = true,
    })
    {
        JobExpirationTimeout = keepFinishedJobs,
    };

    /// <summary>The statements that create or upgrade Hangfire's tables; running them again changes nothing.</summary>
    public static string Script() => SqlServerObjectsInstaller.GetInstallScript(Schema, enableHeavyMigrations: true);

    /// <summary>Creates or upgrades Hangfire's tables.</summary>
    /// <exception cref="InvalidRequestException">This login may not.</exception>
    public static async Task PrepareAsync(StoreDatabase database, CancellationToken ct)
    {
        try
        {
            await using var connection = await database.OpenReadAsync(ct);
            SqlServerObjectsInstaller.Install(connection, Schema, enableHeavyMigrations: true);
        }
        catch (Exception e) when (database.LacksRights(e))
        {
            throw new InvalidRequestException($"{database.Location} lacks tables of Hangfire (schema {Schema}), and this login may not create them. Let somebody who may run the command migrate, or the output of migrate --script.", e);
        }
        catch (Exception e) when (database.Explain(e) is { } explained)
        {
            throw explained;
        }
        catch (DbException e)
        {
            throw new AiWorkflowsException($"The tables of AiWorkflows are in place, but Hangfire could not make its own (schema {Schema}) in {database.Location}: {e.Message.TrimEnd('.')}. Hangfire needs SQL Server 2008 R2 or later, or Azure SQL.", e);
        }
    }
}
