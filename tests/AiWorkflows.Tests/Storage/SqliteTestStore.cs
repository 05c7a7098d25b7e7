using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Sqlite;
using AiWorkflows.Tests.Compliance;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Storage;

/// <summary>The stores of the embedded engine.</summary>
internal sealed class SqliteTestStore : TestStore
{
    private readonly SqliteFile _file;
    private readonly bool _isBorrowed;

    private SqliteTestStore(SqliteFile file, bool isBorrowed = false)
    {
        (_file, _isBorrowed) = (file, isBorrowed);
        Features = new SqliteFeatureStore(file.Database);
        Ledger = LedgerOver(file.Database);
        Registry = new ModelRegistry(file.Database);
        Predictions = new SqlitePredictionLog(file.Database);
    }

    public SqliteFile File => _file;

    public override StoreDatabase Database => _file.Database;

    public override IFeatureStore Features { get; }

    public override ILedger Ledger { get; }

    public override IModelRegistry Registry { get; }

    public override IPredictionLog Predictions { get; }

    /// <param name="inMemory">On a memory disk where there is one: for tests that make thousands of transactions and cut no power.</param>
    /// <param name="open">How the database is opened; null for the ordinary way.</param>
    public static async Task<TestStore> OpenAsync(bool inMemory = false, Func<string, SqliteDatabase>? open = null) => new SqliteTestStore(await SqliteFile.MigratedAsync(inMemory, open));

    public override TestStore Another() => new SqliteTestStore(_file.Again(), isBorrowed: true);

    public override ILedger LedgerOver(StoreDatabase database) => new Ledger(database, new SqliteRowCollector(_file.Database));

    public override ValueTask DisposeAsync() => _isBorrowed ? _file.Database.DisposeAsync() : _file.DisposeAsync();
}
