using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Scalar.AspNetCore;

namespace AiWorkflows.Hosting.Api;

/// <summary>The OpenAPI document, and a page in which people try the API. Everything it loads comes from this host.</summary>
internal static class ApiPage
{
    private const string Page = OurPaths.Api + "/reference";

    /// <summary>The page styles itself while it runs, which takes styles in the page; its one script in the page is allowed by a number that is new each time.</summary>
    private static string ContentSecurityPolicy(string nonce) =>
        $"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

    public static void MapApiPage(this IEndpointRouteBuilder app)
    {
        app.MapOpenApi("/openapi/{documentName}.json").RequireViewer();
        app.MapGet(OurPaths.Api, (HttpContext http) => Results.Redirect(http.Request.PathBase + Page + "/")).RequireViewer().ExcludeFromDescription();
        var page = app.MapGroup("");
        // The package would let everybody load its files; here nothing is for everybody that does not have to be.
        ((IEndpointConventionBuilder)page).Finally(endpoint =>
        {
            foreach (var open in endpoint.Metadata.OfType<IAllowAnonymous>().ToArray())
                endpoint.Metadata.Remove(open);
        });
        page.RequireViewer().ExcludeFromDescription();
        page.MapScalarApiReference(Page, (options, http) =>
        {
            var nonce = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(18));
            http.Response.Headers.ContentSecurityPolicy = ContentSecurityPolicy(nonce);
            options.Nonce = nonce;
            options.Title = "AiWorkflows API";
            options.OpenApiRoutePattern = "/openapi/{documentName}.json";
            options.DefaultFonts = false;
            // Nothing that would call, or lead to, services of the package's makers.
            options.Telemetry = false;
            options.Agent = new() { Disabled = true };
            options.Mcp = new() { Disabled = true };
            options.ShowDeveloperTools = DeveloperToolsVisibility.Never;
            options.HideClientButton = true;
            // Types of bodies, which would stand under the heading that here belongs to models.
            options.HideModels = true;
            options.DefaultOpenAllTags = true;
        });
    }
}
