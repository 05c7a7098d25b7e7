using System.CommandLine;
using AiWorkflows.Hosting.Security;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Security;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>keys create|list|revoke</c></summary>
internal static class KeyCommands
{
    public static Command Create(CliContext context)
    {
        var name = Build.Name("NAME", "Whose key it is; this name stands in runs and in the audit.");
        var role = Build.Text("--role", "viewer: may look and predict; operator: may also act.", "ROLE");
        var expires = Build.Text("--expires", "When it ends; default: when it is revoked.", "TIME");
        return Build.Group("keys", "API keys: create, list, revoke.",
            Build.Acting(context, "create", "Makes a key, and prints it once: only a hash of it is kept.", i => CreateAsync(i, i.Value(name), i.Value(role), i.Time(expires)), name, role, expires),
            Build.Reading(context, "list", "Lists the keys, without what they are.", ListAsync),
            Build.Acting(context, "revoke", "Ends a key, in every host within two seconds.", i => RevokeAsync(i, i.Value(name)), name));
    }

    private static async Task<int> CreateAsync(Invocation i, string name, string? role, DateTime? expires)
    {
        if (ApiKey.MistakeInName(name) is { } mistake)
            throw new InvalidRequestException(char.ToUpperInvariant(mistake[0]) + mistake[1..]);
        if (role is null)
            throw new InvalidRequestException($"Say what {name} may do: --role viewer (look and predict) or --role operator (act too).");
        if (!Roles.All.Contains(role))
            throw NearMatches.Unknown("role", role, Roles.All);
        if (expires is { } end && end <= TimeProvider.System.GetUtcNow().UtcDateTime)
            throw new InvalidRequestException($"--expires {Timestamps.Display(end)} has passed.");
        if (i.Context.Get<HostSettings>().Options.Security.ApiKeys.ContainsKey(name))
            throw new InvalidRequestException($"The configuration has a key named {name} already; choose another name.");
        var (id, key) = ApiKey.Create();
        if (!await i.Context.Get<ApiKeyStore>().AddAsync(id, name, role, ApiKey.HashOf(key), expires, CliContext.Who, i.Ct))
            throw new InvalidRequestException($"There is a key named {name} already; `keys revoke {name}` ends it, or choose another name.");
        // Alone on standard output, so that a script can take it; it is shown nowhere else and never again.
        i.Output.Line(key);
        await i.Output.Console.Error.WriteLineAsync($"This is the key of {name} ({role}{(expires is { } until ? $", until {Timestamps.Display(until)} UTC" : "")}). Keep it now: it cannot be shown again.");
        return 0;
    }

    private static async Task ListAsync(Invocation i)
    {
        var stored = (await i.Context.Get<ApiKeyStore>().ListAsync(i.Ct)).Select(k => new ShownKey(
            k.KeyName, k.Role, k.RevokedAt is not null ? "revoked" : k.IsActive == 1 ? "active" : "expired", ApiKey.Prefix + k.KeyId + "…", k.CreatedAt, k.CreatedBy, k.ExpiresAt, k.RevokedAt, k.RevokedBy));
        var configured = i.Context.Get<HostSettings>().Options.Security.ApiKeys.Select(k => new ShownKey(k.Key, k.Value.Role, "configured", null, null, null, null, null, null));
        i.Output.List([.. configured, .. stored], "No keys; `keys create NAME --role operator` makes one. Without any, only this machine's user can use the host.",
            new("key", k => k.Name), new("role", k => k.Role), new("state", k => k.State), new("begins with", k => k.BeginsWith), new("created", k => Format.Moment(k.CreatedAt)), new("by", k => k.CreatedBy),
            new("expires", k => Format.Moment(k.ExpiresAt)), new("revoked", k => Format.Moment(k.RevokedAt)), new("by", k => k.RevokedBy));
    }

    private static async Task<int> RevokeAsync(Invocation i, string name)
    {
        var keys = i.Context.Get<ApiKeyStore>();
        if (await keys.RevokeAsync(name, CliContext.Who, i.Ct))
        {
            i.Output.Line($"The key of {name} is revoked; hosts refuse it within two seconds.");
            return 0;
        }
        if (i.Context.Get<HostSettings>().Options.Security.ApiKeys.ContainsKey(name))
            throw new InvalidRequestException($"The key of {name} is in the configuration, AiWorkflows:Security:ApiKeys:{name}; take it out there and start the hosts anew.");
        var known = await keys.ListAsync(i.Ct);
        throw known.Any(k => k.KeyName == name)
            ? new InvalidRequestException($"The key of {name} was revoked already.")
            : NearMatches.Unknown("key", name, known.Where(k => k.RevokedAt is null).Select(k => k.KeyName));
    }

    /// <summary>A key as the list has it.</summary>
    private sealed record ShownKey(string Name, string Role, string State, string? BeginsWith, Utc? CreatedAt, string? CreatedBy, Utc? ExpiresAt, Utc? RevokedAt, string? RevokedBy);
}
