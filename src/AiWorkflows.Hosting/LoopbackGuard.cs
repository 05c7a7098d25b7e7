using System.Net;
using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting;

/// <summary>
/// Without authentication only this machine's user may look and act: requests come over loopback, under a loopback name (a page of the web
/// cannot reach us through a name of its own that points here), not through a proxy, and what changes something does not come from another site.
/// </summary>
internal static class LoopbackGuard
{
    private static readonly string[] ProxyHeaders = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"];

    internal static string? WhyRefused(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is { } remote && !IPAddress.IsLoopback(remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote))
            return "Only this machine may connect, for nobody has to sign in; `keys create` makes a key, and then others may.";
        if (!ListenAddresses.IsLoopbackHost(context.Request.Host.Host))
            return $"Connect as localhost, not as {context.Request.Host.Host}; under other names everybody has to sign in, and `keys create` makes a key.";
        foreach (var header in ProxyHeaders)
            if (context.Request.Headers.ContainsKey(header))
                return "A proxy forwards to this host, and nobody has to sign in; make a key with `keys create` first.";
        return IsSameOrigin(context) ? null : "Another site may not act here.";
    }

    /// <summary>Whether the request only reads, or comes from one of our own pages or from no page.</summary>
    internal static bool IsSameOrigin(HttpContext context)
    {
        if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
            return true;
        var origin = context.Request.Headers.Origin.ToString();
        return origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority.Equals(context.Request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }
}
