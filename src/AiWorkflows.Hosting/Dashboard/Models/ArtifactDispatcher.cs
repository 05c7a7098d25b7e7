using System.Globalization;
using AiWorkflows.Models;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace AiWorkflows.Hosting.Dashboard.Models;

/// <summary>The saved model of a version, as a file.</summary>
internal sealed class ArtifactDispatcher : IDashboardDispatcher
{
    public async Task Dispatch(DashboardContext context)
    {
        var http = context.GetHttpContext();
        var model = Uri.UnescapeDataString(context.UriMatch.Groups["name"].Value);
        var version = int.Parse(context.UriMatch.Groups["version"].Value, CultureInfo.InvariantCulture);
        var registry = http.RequestServices.GetRequiredService<IModelRegistry>();
        try
        {
            var found = await registry.FindVersionAsync(model, version, http.RequestAborted).ConfigureAwait(false) ?? throw new InvalidRequestException($"Model {model} has no version {version}.");
            var content = await registry.ReadArtifactAsync(found.ArtifactSha256, http.RequestAborted).ConfigureAwait(false);
            http.Response.ContentType = "application/zip";
            http.Response.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileNameStar = $"{model}-v{version.ToString(CultureInfo.InvariantCulture)}.zip" }.ToString();
            http.Response.Headers["X-Content-Sha256"] = found.ArtifactSha256;
            http.Response.ContentLength = content.Length;
            await http.Response.Body.WriteAsync(content, http.RequestAborted).ConfigureAwait(false);
        }
        catch (InvalidRequestException e)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            http.Response.ContentType = "text/plain; charset=utf-8";
            await http.Response.WriteAsync(e.Message, http.RequestAborted).ConfigureAwait(false);
        }
    }
}
