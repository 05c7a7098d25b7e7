namespace AiWorkflows.Models;

/// <summary>What people do to models: promote, point an alias, roll back. Each records who and why; the audit is the caller's.</summary>
internal sealed class ModelActions(IModelRegistry registry, IEnumerable<string> knownModels)
{
    public const string Champion = "champion";

    private readonly string[] _known = [.. knownModels];

    /// <summary>Makes a version the champion.</summary>
    /// <exception cref="InvalidRequestException">There is no such model or version, or it is the champion already.</exception>
    public Task<AliasChange> PromoteAsync(string model, int version, string by, string? reason, CancellationToken ct) =>
        SetAliasAsync(model, Champion, version, by, reason ?? "promoted by hand", ct);

    /// <summary>Points an alias to a version.</summary>
    /// <exception cref="InvalidRequestException">There is no such model or version, the alias is no name, or it points there already.</exception>
    public async Task<AliasChange> SetAliasAsync(string model, string alias, int version, string by, string? reason, CancellationToken ct)
    {
        await RequireModelAsync(model, ct);
        if (!PipelineTypes.IsName(alias))
            throw new InvalidRequestException($"'{alias}' is no alias; use lower-case letters, digits and hyphens, starting with a letter, for example challenger.");
        if (await registry.FindVersionAsync(model, version, ct) is null)
            throw new InvalidRequestException($"Model '{model}' has no version {version}; 'models show {model}' lists its versions.");
        var current = await registry.FindAliasAsync(model, alias, ct);
        if (current?.Version == version)
            throw new InvalidRequestException($"Version {version} of '{model}' is already its {alias}, since {Timestamps.Display(current.ChangedAt)}.");
        var change = new AliasChange(model, alias, version, by, string.IsNullOrWhiteSpace(reason) ? "set by hand" : reason);
        await registry.SetAliasAsync(change, ct);
        return change;
    }

    /// <summary>Makes the previous champion the champion again.</summary>
    /// <exception cref="InvalidRequestException">There is no such model, no champion, or none before it.</exception>
    public async Task<AliasChange> RollBackAsync(string model, string by, string? reason, CancellationToken ct)
    {
        await RequireModelAsync(model, ct);
        var current = await registry.FindAliasAsync(model, Champion, ct)
            ?? throw new InvalidRequestException($"Model '{model}' has no champion to roll back; 'models promote {model} VERSION' sets one.");
        var previous = await registry.PreviousVersionAsync(model, Champion, ct)
            ?? throw new InvalidRequestException($"Version {current.Version} is the first champion of '{model}'; there is none to go back to.");
        var change = new AliasChange(model, Champion, previous, by, string.IsNullOrWhiteSpace(reason) ? $"rolled back from version {current.Version}" : reason);
        await registry.SetAliasAsync(change, ct);
        return change;
    }

    private async Task RequireModelAsync(string model, CancellationToken ct)
    {
        if (!await registry.ModelExistsAsync(model, ct))
            throw _known.Contains(model, StringComparer.Ordinal)
                ? new InvalidRequestException($"Model '{model}' has not been trained yet; run its workflow first.")
                : NearMatches.Unknown("model", model, _known);
    }
}
