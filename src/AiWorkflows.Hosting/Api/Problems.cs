using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace AiWorkflows.Hosting.Api;

/// <summary>Answers as problem+json (RFC 9457): what was wrong, which field, and where it helps when to come again.</summary>
internal static class Problems
{
    public static IResult Of(int status, string? detail, string? field = null, string? traceId = null)
    {
        var extensions = new Dictionary<string, object?>();
        if (field is not null)
            extensions["field"] = field;
        if (traceId is not null)
            extensions["trace_id"] = traceId;
        return Results.Problem(detail, statusCode: status, title: ReasonPhrases.GetReasonPhrase(status), extensions: extensions);
    }

    public static IResult Of(ApiException e) => Of(e.Status, e.Message, e.Field);

    /// <summary>Writes the answer; nothing of what was begun before is left in it.</summary>
    public static Task WriteAsync(HttpContext context, int status, string? detail, string? field = null, string? traceId = null, int? retryAfter = null)
    {
        if (retryAfter is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        context.Response.Headers.CacheControl = "no-store";
        return Of(status, detail, field, traceId).ExecuteAsync(context);
    }
}
