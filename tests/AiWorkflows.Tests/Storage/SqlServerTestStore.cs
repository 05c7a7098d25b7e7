using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Storage;
using AiWorkflows.Storage.SqlServer;
using AiWorkflows.Tests.Compliance;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Storage;

/// <summary>The stores of SQL Server.</summary>
internal sealed class SqlServerTestStore : TestStore
{
    private readonly SqlServerDatabase _database;

    private SqlServerTestStore(SqlServerDatabase database)
    {
        _database = database;
        Features = new SqlServerFeatureStore(database);
        Ledger = new Ledger(database, new SqlServerRowCollector(database));
        Registry = new ModelRegistry(database);
        Predictions = new SqlServerPredictionLog(database);
    }

    public override StoreDatabase Database => _database;

    public override IFeatureStore Features { get; }

    public override ILedger Ledger { get; }

    public override IModelRegistry Registry { get; }

    public override IPredictionLog Predictions { get; }

    public static async Task<TestStore> OpenAsync() => new SqlServerTestStore(await SqlServerTestDatabase.RentAsync());

    public override async ValueTask DisposeAsync() => await SqlServerTestDatabase.ReturnAsync(_database);
}
