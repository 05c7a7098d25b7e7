using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting;

/// <summary>
/// Without authentication only this machine's user may look and act: requests come over loopback, under a loopback name (a page of the web
/// cannot reach us through a name of its own that points here), and what changes something does not come from another site.
/// </summary>
internal static class LoopbackGuard
{
    public static void UseLoopbackGuard(this WebApplication app) => app.Use(async (context, next) =>
    {
        if (WhyRefused(context) is not { } reason)
        {
            await next(context);
            return;
        }
        await Results.Problem(reason, statusCode: StatusCodes.Status403Forbidden).ExecuteAsync(context);
    });

    internal static string? WhyRefused(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is { } remote && !IPAddress.IsLoopback(remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote))
            return "Only this machine may connect; authentication comes with a later version.";
        if (!ListenAddresses.IsLoopbackHost(context.Request.Host.Host))
            return $"Connect as localhost, not as {context.Request.Host.Host}.";
        var origin = context.Request.Headers.Origin.ToString();
        var sameOrigin = origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority.Equals(context.Request.Host.Value, StringComparison.OrdinalIgnoreCase));
        return sameOrigin || HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) ? null : "Another site may not act here.";
    }
}
