using AiWorkflows.Storage;
using AiWorkflows.Storage.Retention;
using AiWorkflows.Workflows;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting;

/// <summary>Plans and applies the policies of this host's configuration, with what its program knows about the views.</summary>
internal sealed class RetentionWork(HostSettings settings, StoreDatabase database, ILedger ledger, Catalog catalog, ILogger<RetentionWork> log)
{
    private readonly RetentionJob _job = new(database, ledger);

    private RetentionPolicy Policy => settings.Options.Retention.ToPolicy();

    private IReadOnlyList<ViewReads> Views => [.. catalog.Views.Select(v => new ViewReads(v.Name, v.Version, [.. v.ReadsAsPublished.Select(g => (g.Name, g.Version))]))];

    public Task<IReadOnlyList<RetentionLine>> PlanAsync(CancellationToken ct) => _job.PlanAsync(Policy, Views, ct);

    public Task<IReadOnlyList<RetentionLine>> ApplyAsync(string by, CancellationToken ct) => _job.ApplyAsync(Policy, Views, by, line =>
    {
        if (line.Rows > 0)
            log.LogInformation("Retention has removed {Rows} rows of {Class}, {Bytes} bytes", line.Rows, line.Class, line.Bytes);
    }, ct);
}
