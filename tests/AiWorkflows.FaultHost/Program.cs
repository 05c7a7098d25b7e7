using AiWorkflows;
using AiWorkflows.FaultHost;
using AiWorkflows.Hosting;
using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Sqlite;
using AiWorkflows.Storage.SqlServer;
using AiWorkflows.Workflows;

// A host like any other, that can be told to die, freeze or fail at a point of the protocol. Everything about it comes by the environment:
// FAULT_AT (faults, separated by semicolons), FAULT_TRACE (file), FAULT_DAYS, FAULT_CLOCK (offset of the clock of an embedded database), FAULT_SHARED (1: without the file lock),
// FAULT_TWICE (1: each job is delivered twice), FAULT_LIMIT (time limit of a stage), FAULT_WORKERS (pieces of code that may be abandoned), FAULT_LEASE (seconds).
var faults = new Faults([.. (Setting("FAULT_AT") ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries).Select(Fault.Parse)], Setting("FAULT_TRACE"));
var days = int.Parse(Setting("FAULT_DAYS") ?? "4", System.Globalization.CultureInfo.InvariantCulture);
var offset = TimeSpan.Parse(Setting("FAULT_CLOCK") ?? "0", System.Globalization.CultureInfo.InvariantCulture);
var bypassed = Setting("FAULT_SHARED") == "1";
var lease = double.Parse(Setting("FAULT_LEASE") ?? "3", System.Globalization.CultureInfo.InvariantCulture);

var builder = WebApplication.CreateBuilder(args);
builder.Configuration["AiWorkflows:Clock"] = "2001-06-01T00:00:00Z";
builder.AddAiWorkflows(ai => Definitions.Add(ai, days, Setting("FAULT_LIMIT") is { } limit ? TimeSpan.Parse(limit, System.Globalization.CultureInfo.InvariantCulture) : null));

var services = builder.Services;
services.AddSingleton(faults);
var settings = (HostSettings)services.Last(s => s.ServiceType == typeof(HostSettings)).ImplementationInstance!;
if (settings.IsShared)
    services.AddSingleton<SqlServerDatabase>(_ => new FaultServerDatabase(settings.Options.ConnectionString!, faults));
else
    services.AddSingleton<SqliteDatabase>(_ => new FaultDatabase(settings.DatabasePath, faults, offset));
services.AddSingleton(provider => FaultLedger.Around(new Ledger(provider.GetRequiredService<StoreDatabase>(), provider.GetRequiredService<IRowCollector>()), faults));
if (bypassed)
    // Each takes a lock of its own: several hosts on one file, which the protocol has to bear although the product forbids it.
    services.AddSingleton(settings with { DatabasePath = $"{settings.DatabasePath}.{Environment.ProcessId}" });
if (Setting("FAULT_TWICE") == "1")
    services.AddSingleton<IJobDispatcher>(provider => new DoubleDispatcher(ActivatorUtilities.CreateInstance<HangfireDispatcher>(provider)));
services.AddSingleton(new RunEngineOptions
{
    Host = settings.HostName,
    OnlyHost = !bypassed && !settings.IsShared,
    CodeVersion = "1",
    DatasetDirectory = Path.Combine(settings.DataDirectory, "datasets"),
    Lease = TimeSpan.FromSeconds(lease),
    Beat = TimeSpan.FromSeconds(0.5),
    Poll = TimeSpan.FromSeconds(0.2),
    Sweep = TimeSpan.FromSeconds(1),
    StaleDispatch = TimeSpan.FromSeconds(lease),
    FirstBackoff = TimeSpan.FromSeconds(0.2),
    AbandonAfter = TimeSpan.FromSeconds(1),
    Workers = int.Parse(Setting("FAULT_WORKERS") ?? "100", System.Globalization.CultureInfo.InvariantCulture),
});

var app = builder.Build();
app.MapAiWorkflows();
return await app.RunAiWorkflowsAsync(args);

static string? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
