using AiWorkflows.Tests.Compliance;

namespace AiWorkflows.Tests.Storage;

public class SqlServerFeatureStoreTests : FeatureStoreCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerLedgerTests : LedgerCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerPublicationTests : PublicationCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerGroupRegistrationTests : GroupRegistrationCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerModelRegistryTests : ModelRegistryCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerPredictionLogTests : PredictionLogCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerLedgerSimulationTests : LedgerSimulationCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}
