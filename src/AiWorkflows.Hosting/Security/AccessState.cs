using Microsoft.AspNetCore.Authentication;

namespace AiWorkflows.Hosting.Security;

/// <summary>
/// Whether people have to sign in. On loopback with neither a key nor a scheme nobody has to, and <see cref="LoopbackGuard"/> sees to it that only this
/// machine's user comes; in every other case the door is closed, and stays so when the last key is revoked.
/// </summary>
internal sealed class AccessState(HostSettings settings, KeyDirectory keys, IAuthenticationSchemeProvider schemes)
{
    private volatile bool _exposed;
    private volatile IReadOnlyList<AuthenticationScheme>? _schemes;

    /// <summary>Whether nobody has to sign in. Valid after <see cref="RefreshAsync"/>.</summary>
    public bool IsOpen => !_exposed && settings.Options.Security.RequireAuthentication is not true
        && (settings.Options.Security.RequireAuthentication is false || (!keys.HasAny && _schemes is null or { Count: 0 }));

    public async ValueTask RefreshAsync(CancellationToken ct)
    {
        _ = await SchemesAsync();
        await keys.RefreshAsync(ct);
    }

    /// <summary>The program's own schemes, the default one first. They are those that it has when it is first asked for anything.</summary>
    public async ValueTask<IReadOnlyList<AuthenticationScheme>> SchemesAsync()
    {
        if (_schemes is { } known)
            return known;
        var main = await schemes.GetDefaultAuthenticateSchemeAsync();
        var own = (await schemes.GetAllSchemesAsync()).Where(s => s.Name is not (AccessHandler.SchemeName or AccessHandler.SessionName));
        return _schemes = [.. own.OrderByDescending(s => s.Name == main?.Name)];
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
