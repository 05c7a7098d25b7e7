using AiWorkflows.Tests.Compliance;

namespace AiWorkflows.Tests.Storage;

public class SqliteFeatureStoreTests : FeatureStoreCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqliteRequestTests : RequestCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqliteStepTests : StepCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqliteAttemptTests : AttemptCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqliteHostTests : HostCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqliteKeyTests : KeyCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqliteBackfillTests : BackfillCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqliteLateInputTests : LateInputCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqlitePublicationTests : PublicationCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqlitePartitionTests : PartitionCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqliteGroupRegistrationTests : GroupRegistrationCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqliteModelRegistryTests : ModelRegistryCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqlitePredictionLogTests : PredictionLogCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqliteLedgerSimulationTests : LedgerSimulationCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync(inMemory: true);
}

public class SqliteRetentionTests : RetentionCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}

public class SqliteStreamTests : StreamCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync();
}
