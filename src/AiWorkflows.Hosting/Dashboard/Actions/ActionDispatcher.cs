using AiWorkflows.Hosting.Security;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Dashboard.Actions;

/// <summary>
/// A POST that changes something. Unlike Hangfire's own command it answers with a sentence where it refuses. The anti-forgery token was checked by
/// the dashboard's middleware; whether the viewer may change anything is checked here, for a page that left out the button proves nothing.
/// </summary>
internal sealed class ActionDispatcher(Func<ActionRequest, CancellationToken, Task<string?>> act) : IDashboardDispatcher
{
    public async Task Dispatch(DashboardContext context)
    {
        var http = context.GetHttpContext();
        var (status, message) = !HttpMethods.IsPost(http.Request.Method) ? (StatusCodes.Status405MethodNotAllowed, "This address takes POST only.")
            : context.IsReadOnly ? (http.User.Identity?.IsAuthenticated == true ? StatusCodes.Status403Forbidden : StatusCodes.Status401Unauthorized, "You may look, not change.")
            : await ActAsync(new(http, context.UriMatch)).ConfigureAwait(false);
        http.Response.StatusCode = status;
        if (message is null)
            return;
        http.Response.ContentType = "text/plain; charset=utf-8";
        await http.Response.WriteAsync(message, http.RequestAborted).ConfigureAwait(false);
    }

    private async Task<(int Status, string? Message)> ActAsync(ActionRequest request)
    {
        try
        {
            // Not the viewer's token: what was begun is not left half done because a tab was closed.
            return await act(request, CancellationToken.None).ConfigureAwait(false) is { } refusal
                ? (StatusCodes.Status409Conflict, refusal) : (StatusCodes.Status204NoContent, null);
        }
        catch (AiWorkflowsException e)
        {
            return (StatusCodes.Status422UnprocessableEntity, e.Message);
        }
        finally
        {
            request.Services.GetService<PageCache>()?.Clear();
        }
    }
}

/// <summary>A request to change something.</summary>
internal sealed record ActionRequest(HttpContext Http, System.Text.RegularExpressions.Match Uri)
{
    public IServiceProvider Services => Http.RequestServices;

    /// <summary>Who asks, for the audit: the name that signed in, or the dashboard.</summary>
    public string By => Callers.NameOf(Http.User) ?? "dashboard";

    public string Name => System.Uri.UnescapeDataString(Uri.Groups["name"].Value);

    /// <summary>A field of the form; null where it is empty.</summary>
    public string? Field(string name) => Http.Request.HasFormContentType && Http.Request.Form[name].ToString().Trim() is { Length: > 0 } text ? text.Length > 1000 ? text[..1000] : text : null;

    /// <summary>A field that is a time, UTC; null where it is empty.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public DateTime? Time(string name) => Field(name) is not { } text ? null
        : DateTime.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal | System.Globalization.DateTimeStyles.AdjustToUniversal, out var time)
            ? time : throw new InvalidRequestException($"'{text}' is no time; write it as 2001-06-01 or 2001-06-01 12:00, in UTC.");

    /// <summary>Why somebody acts, where the form asks for it.</summary>
    /// <exception cref="InvalidRequestException">It is missing.</exception>
    public string Reason(string form) => Field("reason-" + form) ?? throw new InvalidRequestException("Say why; it is kept on record.");

    public long Id => long.Parse(Uri.Groups["id"].Value, System.Globalization.CultureInfo.InvariantCulture);
}
