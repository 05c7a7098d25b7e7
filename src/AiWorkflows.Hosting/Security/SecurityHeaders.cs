using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting.Security;

/// <summary>Tells browsers what our pages may do: load from here alone, run no script that stands in a page, and be framed by nobody.</summary>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    /// <summary>
    /// For the dashboard. Hangfire's own pages and ours keep to it: scripts, styles, fonts and pictures are files of this host. The one exception is the
    /// style that the chart of Hangfire's home page puts into the page; it is named by its hash, so that no other can be.
    /// </summary>
    public const string Dashboard =
        "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-z7zcnw/4WalZqx+PrNaRnoeLz/G9WXuFqV1WCJ129sg='; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    /// <summary>For what is no page.</summary>
    public const string Data = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";

    public Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path;
        if (!OurPaths.Contains(path))
            return next(context);
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.ContentSecurityPolicy = path.StartsWithSegments(OurPaths.Dashboard, StringComparison.OrdinalIgnoreCase) ? Dashboard : Data;
        // A browser that has been told so under this name would refuse other programs of a developer's machine.
        if (context.Request.IsHttps && !ListenAddresses.IsLoopbackHost(context.Request.Host.Host))
            headers.StrictTransportSecurity = "max-age=31536000";
        return next(context);
    }
}
