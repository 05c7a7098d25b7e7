using System.Data.Common;
using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Storage.Security;
using AiWorkflows.Storage.Sqlite;
using AiWorkflows.Storage.SqlServer;
using AiWorkflows.Streaming;
using AiWorkflows.Workflows;
using Microsoft.Data.SqlClient;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Storage;

/// <summary>Registers the stores of an engine.</summary>
internal static class StorageServices
{
    /// <summary>The file that a connection string of the embedded engine names; empty where it names none.</summary>
    /// <exception cref="ArgumentException">The connection string cannot be read.</exception>
    public static string SqliteFileOf(string connectionString) => new SqliteConnectionStringBuilder(connectionString).DataSource;

    /// <summary>What is wrong with a connection string of SQL Server; null where it names a server and a database. Says nothing of what it holds.</summary>
    public static string? MistakeInSqlServer(string? connectionString)
    {
        if (string.IsNullOrWhiteSpace(connectionString))
            return "AiWorkflows:Engine SqlServer needs AiWorkflows:ConnectionString. Example: Server=HOST;Database=NAME;User ID=USER;Password=…;Encrypt=True.";
        try
        {
            SqlServerDatabase.Parse(connectionString);
            return null;
        }
        catch (InvalidRequestException e)
        {
            return e.Message;
        }
    }

    /// <summary>Makes connections for the job engine, which keeps its tables in the same database.</summary>
    public static Func<DbConnection> SqlServerConnections(string connectionString)
    {
        var settings = SqlServerDatabase.Parse(connectionString).ConnectionString;
        return () => new SqlConnection(settings);
    }

    /// <summary>The embedded engine on the file at <paramref name="databasePath"/>. Migrate before the first use.</summary>
    public static IServiceCollection AddSqliteStorage(this IServiceCollection services, string databasePath) => services.AddSqliteStorage(() => databasePath);

    /// <summary>The embedded engine on a file whose path is asked for when the store is first needed.</summary>
    public static IServiceCollection AddSqliteStorage(this IServiceCollection services, Func<string> databasePath)
    {
        services.AddSingleton(_ => new SqliteDatabase(databasePath()));
        services.AddSingleton<StoreDatabase>(s => s.GetRequiredService<SqliteDatabase>());
        services.AddSingleton<Migrator, SqliteMigrator>(s => new SqliteMigrator(s.GetRequiredService<SqliteDatabase>()));
        services.AddSingleton<FeatureStore, SqliteFeatureStore>();
        services.AddSingleton<IRowCollector, SqliteRowCollector>();
        services.AddSingleton<IPredictionLog, SqlitePredictionLog>();
        services.AddSingleton<IStreamStore, SqliteStreamStore>();
        services.AddSingleton<IOnlineLog, SqliteOnlineLog>();
        return services.AddShared();
    }

    /// <summary>The database of SQL Server that the connection string names. Migrate before the first use.</summary>
    public static IServiceCollection AddSqlServerStorage(this IServiceCollection services, string connectionString)
    {
        services.AddSingleton(_ => new SqlServerDatabase(connectionString));
        services.AddSingleton<StoreDatabase>(s => s.GetRequiredService<SqlServerDatabase>());
        services.AddSingleton<Migrator, SqlServerMigrator>(s => new SqlServerMigrator(s.GetRequiredService<SqlServerDatabase>()));
        services.AddSingleton<FeatureStore, SqlServerFeatureStore>();
        services.AddSingleton<IRowCollector, SqlServerRowCollector>();
        services.AddSingleton<IPredictionLog, SqlServerPredictionLog>();
        services.AddSingleton<IStreamStore, SqlServerStreamStore>();
        services.AddSingleton<IOnlineLog, OnlineLog>();
        return services.AddShared();
    }

    private static IServiceCollection AddShared(this IServiceCollection services)
    {
        services.AddSingleton<IFeatureStore>(s => s.GetRequiredService<FeatureStore>());
        services.AddSingleton<ILedger, Ledger>();
        services.AddSingleton<IQuarantine, Quarantine>();
        services.AddSingleton<IModelRegistry, ModelRegistry>();
        services.AddSingleton<ApiKeyStore>();
        services.AddSingleton<ProtectionKeyStore>();
        return services;
    }
}
