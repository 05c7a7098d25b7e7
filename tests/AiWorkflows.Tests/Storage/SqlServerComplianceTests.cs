using AiWorkflows.Tests.Compliance;

namespace AiWorkflows.Tests.Storage;

public class SqlServerFeatureStoreTests : FeatureStoreCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerRequestTests : RequestCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerStepTests : StepCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerAttemptTests : AttemptCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerHostTests : HostCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerKeyTests : KeyCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerBackfillTests : BackfillCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerLateInputTests : LateInputCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerPublicationTests : PublicationCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerPartitionTests : PartitionCompliance
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

public class SqlServerRetentionTests : RetentionCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}

public class SqlServerStreamTests : StreamCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}
