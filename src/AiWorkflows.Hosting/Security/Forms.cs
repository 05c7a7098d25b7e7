using AiWorkflows.Hosting.Api;
using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting.Security;

/// <summary>Forms are read before those who look for tokens and values in them, which take a broken one for an error of the host.</summary>
internal static class Forms
{
    /// <summary>Reads the form of a page, if the request has one; whoever asks again has it at once.</summary>
    /// <exception cref="ApiException">It cannot be read (400).</exception>
    public static async Task ReadAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType || context.Request.Path.StartsWithSegments(OurPaths.Api, StringComparison.OrdinalIgnoreCase))
            return;
        try
        {
            await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (Exception e) when (e is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw ApiException.BadRequest("The form cannot be read.", null, e);
        }
    }

    /// <summary>The form of a page.</summary>
    /// <exception cref="ApiException">There is none (415).</exception>
    public static async Task<IFormCollection> RequireAsync(HttpContext context) => context.Request.HasFormContentType
        ? await context.Request.ReadFormAsync(context.RequestAborted)
        : throw new ApiException(StatusCodes.Status415UnsupportedMediaType, "Send the form of the page.");
}
