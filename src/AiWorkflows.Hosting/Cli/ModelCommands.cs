using System.CommandLine;
using System.Globalization;
using AiWorkflows.Features;
using AiWorkflows.Models;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Training;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>models list|show|promote|alias|rollback|reproduce</c></summary>
internal static class ModelCommands
{
    private const string Champion = "champion";

    public static Command Create(CliContext context)
    {
        var name = Build.Name("NAME", "Name of the model.");
        var version = Build.Name("VERSION", "Number of the version, as in 3 or v3.");
        var optional = new Argument<string?>("VERSION") { Description = "Number of the version; default: an overview of all.", Arity = ArgumentArity.ZeroOrOne };
        var alias = Build.Name("ALIAS", "Name of the alias, such as champion or challenger.");
        var reason = Build.Text("--reason", "Why; it goes into the history.", "TEXT");
        return Build.Group("models", "Models: list, show, promote, alias, rollback, reproduce.",
            Build.Reading(context, "list", "Lists the models with champion and metric.", ListAsync),
            Build.Reading(context, "show", "Shows the versions of a model, or one of them.", i => ModelShow.RunAsync(i, i.Value(name), i.Parsed.GetValue(optional)), name, optional),
            Build.Acting(context, "promote", "Makes a version the champion.", i => AliasAsync(i, i.Value(name), Champion, i.Value(version), i.Value(reason) ?? "promoted by hand"), name, version, reason),
            Build.Acting(context, "alias", "Lets an alias point to a version.", i => AliasAsync(i, i.Value(name), i.Value(alias), i.Value(version), i.Value(reason) ?? "set by hand"), name, alias, version, reason),
            Build.Acting(context, "rollback", "Makes the previous champion champion again.", i => RollbackAsync(i, i.Value(name), i.Value(reason)), name, reason),
            Build.WithResult(context, "reproduce", "Trains a version again from what was recorded, and says whether the model is identical to the bit.", i => ReproduceAsync(i, i.Value(name), i.Value(version)), name, version),
            LaterCommands.Create(context, "import"),
            LaterCommands.Create(context, "export"));
    }

    private static async Task ListAsync(Invocation i)
    {
        var models = await i.Context.Query<ModelQueries>().ListAsync(i.Ct);
        i.Output.List(models, "No models yet; run a workflow with a training pipeline.",
            new("model", m => m.Model), new("task", m => m.Task), new("versions", m => $"{m.Versions}", Right: true), new("champion", m => m.Champion is { } v ? $"v{v}" : "none"),
            new("metric", m => m.Metric), new("value", m => Format.Metric(m.MetricValue), Right: true), new("baseline", m => Format.Metric(m.BaselineValue), Right: true),
            new("champion since", m => Format.Moment(m.ChampionSince)));
    }

    /// <exception cref="InvalidRequestException">There is no such model, or it has no version yet.</exception>
    public static async Task RequireModelAsync(CliContext context, string name, CancellationToken ct)
    {
        if (await context.Get<IModelRegistry>().ModelExistsAsync(name, ct))
            return;
        var defined = context.Catalog.Trainings.Select(t => t.ModelName).ToList();
        if (defined.Contains(name))
            throw new InvalidRequestException($"Model {name} has no version yet; run a workflow that trains it.");
        throw NearMatches.Unknown("model", name, defined.Concat((await context.Query<ModelQueries>().ListAsync(ct)).Select(m => m.Model)));
    }

    /// <exception cref="InvalidRequestException">There is no such version.</exception>
    public static async Task<int> RequireVersionAsync(CliContext context, string model, string text, CancellationToken ct)
    {
        await RequireModelAsync(context, model, ct);
        var digits = text.StartsWith('v') ? text[1..] : text;
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            throw new InvalidRequestException($"'{text}' is no version of {model}; give a number, as `models show {model}` lists them.");
        if (await context.Get<IModelRegistry>().FindVersionAsync(model, version, ct) is not null)
            return version;
        var versions = await context.Query<ModelQueries>().VersionsAsync(model, null, 10, ct);
        throw new InvalidRequestException($"Model {model} has no version {version}: there {(versions.Count == 1 ? "is" : "are")} {string.Join(", ", versions.Select(v => v.Version).Order())}.");
    }

    private static async Task<int> AliasAsync(Invocation i, string model, string alias, string text, string reason)
    {
        if (!GroupSchema.IsIdentifier(alias.Replace('-', '_')))
            throw new InvalidRequestException($"'{alias}' is no name of an alias; use lower-case letters, digits and hyphens, starting with a letter.");
        var version = await RequireVersionAsync(i.Context, model, text, i.Ct);
        return await MoveAsync(i, model, alias, version, reason);
    }

    private static async Task<int> RollbackAsync(Invocation i, string model, string? reason)
    {
        await RequireModelAsync(i.Context, model, i.Ct);
        var registry = i.Context.Get<IModelRegistry>();
        var current = await registry.FindAliasAsync(model, Champion, i.Ct) ?? throw new InvalidRequestException($"Model {model} has no champion; `models promote {model} VERSION` makes one.");
        var previous = await registry.PreviousVersionAsync(model, Champion, i.Ct)
            ?? throw new InvalidRequestException($"Version {current.Version} is the first champion of {model}: there is none before it to go back to.");
        return await MoveAsync(i, model, Champion, previous, reason ?? $"rolled back from version {current.Version}");
    }

    private static async Task<int> MoveAsync(Invocation i, string model, string alias, int version, string reason)
    {
        var registry = i.Context.Get<IModelRegistry>();
        var before = await registry.FindAliasAsync(model, alias, i.Ct);
        if (before?.Version == version)
        {
            i.Output.Line($"Version {version} of {model} is {alias} already; nothing was changed.");
            return 0;
        }
        await registry.SetAliasAsync(new AliasChange(model, alias, version, CliContext.Who, reason), i.Ct);
        await i.Context.Get<ILedger>().AuditAsync(CliContext.Who, alias == Champion ? "promote" : "alias", $"model {model}", $"{alias}: {before?.Version.ToString(CultureInfo.InvariantCulture) ?? "none"} to {version}, {reason}", i.Ct);
        i.Output.Line($"Version {version} of {model} is {alias} now{(before is null ? "" : $"; before it was version {before.Version}")}.");
        return 0;
    }

    private static async Task<int> ReproduceAsync(Invocation i, string model, string text)
    {
        var version = await RequireVersionAsync(i.Context, model, text, i.Ct);
        var registry = i.Context.Get<IModelRegistry>();
        var record = (await registry.FindVersionAsync(model, version, i.Ct))!;
        var dataset = await registry.FindDatasetAsync(record.DatasetId, i.Ct) ?? throw new AiWorkflowsException($"Dataset {record.DatasetId} of {model} v{version} is not recorded any more; the model cannot be reproduced.");
        var training = i.Context.Catalog.TrainingOf(model);
        var stores = new TrainingStores(i.Context.Get<IFeatureStore>(), registry, i.Context.Get<RunEngineOptions>().DatasetDirectory);
        await using var scope = i.Context.Services.CreateAsyncScope();
        var result = await training.ReproduceAsync(record, dataset, stores, scope.ServiceProvider, i.Ct);
        var identical = result is { DatasetIdentical: true, ModelIdentical: true };
        i.Output.Object(new { Model = model, Version = version, Identical = identical, result.DatasetIdentical, result.ModelIdentical, result.RecordedContentSha256, result.ContentSha256, result.Explanation }, () =>
        {
            i.Output.Line(identical ? $"{model} v{version}: identical" : $"{model} v{version}: not identical");
            i.Output.Fields(
                ("dataset", result.DatasetIdentical ? "identical" : "differs"),
                ("model", result.ModelIdentical ? "identical" : "differs"),
                ("recorded content", result.RecordedContentSha256),
                ("content now", result.ContentSha256),
                ("", string.IsNullOrWhiteSpace(result.Explanation) ? null : result.Explanation));
        });
        return identical ? 0 : 1;
    }
}
