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
    private readonly bool _isBorrowed;

    private SqlServerTestStore(SqlServerDatabase database, bool isBorrowed = false)
    {
        (_database, _isBorrowed) = (database, isBorrowed);
        Features = new SqlServerFeatureStore(database);
        Ledger = LedgerOver(database);
        Registry = new ModelRegistry(database);
        Predictions = new SqlServerPredictionLog(database);
    }

    public override StoreDatabase Database => _database;

    public override IFeatureStore Features { get; }

    public override ILedger Ledger { get; }

    public override IModelRegistry Registry { get; }

    public override IPredictionLog Predictions { get; }

    public static async Task<TestStore> OpenAsync() => new SqlServerTestStore(await SqlServerTestDatabase.RentAsync());

    /// <summary>Over another way to the same server: it does not own the database.</summary>
    public static TestStore Over(string connectionString) => new SqlServerTestStore(new SqlServerDatabase(connectionString), isBorrowed: true);

    public override TestStore Another() => Over(_database.ConnectionString);

    public override ILedger LedgerOver(StoreDatabase database) => new Ledger(database, new SqlServerRowCollector(database));

    public override async ValueTask DisposeAsync()
    {
        if (_isBorrowed)
            await _database.DisposeAsync();
        else
            await SqlServerTestDatabase.ReturnAsync(_database);
    }
}
