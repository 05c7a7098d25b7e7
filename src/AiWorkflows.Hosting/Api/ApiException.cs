using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting.Api;

/// <summary>What is wrong with a request, with the status of the answer and the field that is meant; becomes problem+json.</summary>
/// <param name="status">Status code, 4xx or 503.</param>
/// <param name="field">Path of the field in the body, such as <c>$.instances[3].origin</c>, or the name of a query parameter; null where it is about the whole.</param>
internal sealed class ApiException(int status, string message, string? field = null, Exception? inner = null) : AiWorkflowsException(message, inner)
{
    public int Status => status;

    public string? Field => @field;

    /// <summary>Seconds after which it is worth trying again; with 429 and 503.</summary>
    public int? RetryAfter { get; init; }

    public static ApiException BadRequest(string message, string? field = null, Exception? inner = null) => new(StatusCodes.Status400BadRequest, message, field, inner);

    public static ApiException NotFound(string message) => new(StatusCodes.Status404NotFound, message);

    /// <summary>An unknown name in the address: 404, with the names that are near.</summary>
    public static ApiException Unknown(string kind, string name, IEnumerable<string> known) => NotFound(NearMatches.Unknown(kind, Shorten(name), known).Message);

    /// <summary>An unknown name in a field or a query parameter: 400, with the names that are near.</summary>
    public static ApiException UnknownField(string kind, string name, IEnumerable<string> known, string field) =>
        BadRequest(NearMatches.Unknown(kind, Shorten(name), known).Message, field);

    public static ApiException Unavailable(string message, int retryAfter, Exception? inner = null) => new(StatusCodes.Status503ServiceUnavailable, message, null, inner) { RetryAfter = retryAfter };

    /// <summary>Names are compared letter by letter, and a stranger chooses their length.</summary>
    internal static string Shorten(string name) => name.Length <= 80 ? name : name[..80] + "…";
}
