using Microsoft.AspNetCore.Authentication;

namespace AiWorkflows.Hosting.Security;

/// <summary>
/// Whether people have to sign in. On loopback with neither a key nor a scheme nobody has to, and <see cref="LoopbackGuard"/> sees to it that only this
/// machine's user comes; in every other case the door is closed, and stays so when the last key is revoked.
/// </summary>
internal sealed class AccessState(HostSettings settings, KeyDirectory keys, IAuthenticationSchemeProvider schemes)
{
    private volatile bool _exposed;

    /// <summary>Whether nobody has to sign in. Valid after <see cref="RefreshAsync"/>.</summary>
    public bool IsOpen => !_exposed && settings.Options.Security.RequireAuthentication is not true
        && (settings.Options.Security.RequireAuthentication is false || (!keys.HasAny && !HasSchemes));

    /// <summary>Schemes that the program has added.</summary>
    public bool HasSchemes { get; private set; }

    public async ValueTask RefreshAsync(CancellationToken ct)
    {
        HasSchemes = (await SchemesAsync()).Count > 0;
        await keys.RefreshAsync(ct);
    }

    /// <summary>The program's own schemes, the default one first.</summary>
    public async Task<IReadOnlyList<AuthenticationScheme>> SchemesAsync()
    {
        var main = await schemes.GetDefaultAuthenticateSchemeAsync();
        var own = (await schemes.GetAllSchemesAsync()).Where(s => s.Name is not (AccessHandler.SchemeName or AccessHandler.SessionName));
        return [.. own.OrderByDescending(s => s.Name == main?.Name)];
    }

    /// <summary>Closes the door of a host that listens where others can reach it.</summary>
    /// <exception cref="InvalidRequestException">Nobody could sign in.</exception>
    public async Task RequireForAsync(string url, bool storeExists, CancellationToken ct)
    {
        _exposed = true;
        if (settings.Options.Security.RequireAuthentication is false)
            throw new InvalidRequestException($"{url} can be reached from other machines, and AiWorkflows:Security:RequireAuthentication is false. Listen on loopback, or leave that setting out.");
        if (storeExists)
            await keys.RefreshAsync(ct);
        if (!keys.HasActive && (await SchemesAsync()).Count == 0)
            throw new InvalidRequestException(
                $"{url} can be reached from other machines, and no authentication is configured: make a key with `keys create NAME --role operator` first, or listen on loopback, for example --urls http://localhost:5000.");
    }
}
