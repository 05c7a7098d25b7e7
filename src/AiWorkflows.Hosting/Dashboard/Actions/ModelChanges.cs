using System.Globalization;
using AiWorkflows.Models;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Dashboard.Actions;

/// <summary>Moving the aliases of a model; who and why go into their history and into the audit.</summary>
internal static class ModelChanges
{
    public static async Task<string?> PromoteAsync(ActionRequest request, CancellationToken ct)
    {
        if (!int.TryParse(request.Field("version"), NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            return "Choose a version.";
        var alias = request.Field("another") ?? request.Field("alias") ?? ModelActions.Champion;
        return await MoveAsync(request, alias, async actions => await actions.SetAliasAsync(request.Name, alias, version, request.By, request.Reason("promote"), ct).ConfigureAwait(false), ct).ConfigureAwait(false);
    }

    public static Task<string?> RollBackAsync(ActionRequest request, CancellationToken ct) =>
        MoveAsync(request, ModelActions.Champion, async actions => await actions.RollBackAsync(request.Name, request.By, request.Reason("rollback"), ct).ConfigureAwait(false), ct);

    private static async Task<string?> MoveAsync(ActionRequest request, string alias, Func<ModelActions, Task<AliasChange>> move, CancellationToken ct)
    {
        var registry = request.Services.GetRequiredService<IModelRegistry>();
        var before = await registry.FindAliasAsync(request.Name, alias, ct).ConfigureAwait(false);
        var change = await move(new(registry, request.Services.GetRequiredService<Catalog>().Trainings.Select(training => training.ModelName))).ConfigureAwait(false);
        await request.Services.GetRequiredService<ILedger>().AuditAsync(request.By, alias == ModelActions.Champion ? "promote" : "alias", $"model {change.Model}",
            $"{alias}: {before?.Version.ToString(CultureInfo.InvariantCulture) ?? "none"} to {change.Version.ToString(CultureInfo.InvariantCulture)}, {change.Reason}", ct).ConfigureAwait(false);
        return null;
    }
}
