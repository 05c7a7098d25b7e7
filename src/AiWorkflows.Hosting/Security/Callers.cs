using System.Net;
using System.Security.Claims;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting.Security;

/// <summary>Names the people and programs behind requests, for the ledger and the audit.</summary>
internal static class Callers
{
    /// <summary>Columns hold 256; a name of a scheme may be any text.</summary>
    private const int Longest = 200;

    /// <summary>Who asks: the name that signed in, else <c>dashboard</c> or <c>api</c>.</summary>
    public static Caller Of(HttpContext context) => new(
        NameOf(context.User) ?? (context.Request.Path.StartsWithSegments(OurPaths.Dashboard, StringComparison.OrdinalIgnoreCase) ? "dashboard" : "api"), AddressOf(context));

    /// <summary>Who asks, in the current request.</summary>
    public static string NameOf(HttpContext context) => (Caller.Current ?? Of(context)).Name;

    /// <summary>The name that somebody signed in with; null for nobody.</summary>
    public static string? NameOf(ClaimsPrincipal user)
    {
        if (user.Identity is not { IsAuthenticated: true })
            return null;
        var name = new[] { user.Identity.Name, user.FindFirstValue("preferred_username"), user.FindFirstValue(ClaimTypes.Email), user.FindFirstValue(ClaimTypes.NameIdentifier), user.FindFirstValue("sub") }
            .FirstOrDefault(n => !string.IsNullOrWhiteSpace(n)) ?? "somebody";
        name = string.Concat(name.Where(c => !char.IsControl(c)));
        return name.Length <= Longest ? name : name[..Longest];
    }

    /// <summary>The address of the other end; behind a proxy that the program trusts, of its client.</summary>
    public static string? AddressOf(HttpContext context) => Normal(context.Connection.RemoteIpAddress)?.ToString();

    /// <summary>What limits count by: the address, of IPv6 the network of one subscriber.</summary>
    public static string NetworkOf(HttpContext context)
    {
        if (Normal(context.Connection.RemoteIpAddress) is not { } address)
            return "local";
        if (address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6 || IPAddress.IsLoopback(address))
            return address.ToString();
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes).ToString();
    }

    private static IPAddress? Normal(IPAddress? address) => address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
}
