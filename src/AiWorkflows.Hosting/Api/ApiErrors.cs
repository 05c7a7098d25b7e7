using System.Data.Common;
using System.Diagnostics;
using System.Text.Json;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting.Api;

/// <summary>
/// Makes an answer in problem+json of whatever goes wrong below our addresses: a mistake of the caller says what to change, a store that is away is 503,
/// and of anything else the caller learns nothing but an id under which the log has it.
/// </summary>
internal sealed class ApiErrors(RequestDelegate next, StoreDatabase database, ILogger<ApiErrors> log)
{
    private const int ComeAgain = 5;
    private long _lastLogged = long.MinValue / 2;

    public async Task InvokeAsync(HttpContext context)
    {
        if (!OurPaths.Contains(context.Request.Path))
        {
            await next(context);
            return;
        }
        try
        {
            await next(context);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to read an answer.
            return;
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            Clear(context.Response);
            await AnswerAsync(context, e);
            return;
        }
        await DescribeAsync(context);
    }

    private Task AnswerAsync(HttpContext context, Exception error)
    {
        switch (error)
        {
            case ApiException e:
                return Problems.WriteAsync(context, e.Status, e.Message, e.Field, retryAfter: e.RetryAfter);
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return Problems.WriteAsync(context, StatusCodes.Status413PayloadTooLarge, "The body is too large; send it in smaller parts.");
            case BadHttpRequestException e:
                return Problems.WriteAsync(context, e.StatusCode, e.Message);
            case JsonException e:
                return Problems.WriteAsync(context, StatusCodes.Status400BadRequest, "The body cannot be read.", e.Path);
            // A full disk or a lock is explained as a wrong request is, for commands; here it is the store's fault, not the caller's.
            case AiWorkflowsException e when e is not CommitUnknownException && (StoreWatch.IsAway(e) || e.InnerException is DbException or IOException or UnauthorizedAccessException):
                return StoreAwayAsync(context, e);
            case InvalidRequestException e:
                return Problems.WriteAsync(context, StatusCodes.Status400BadRequest, e.Message);
            case CommitUnknownException e:
                log.LogError(e, "A request could not be carried out for certain");
                return Problems.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "The connection to the store was lost during a commit. Look whether the change is there, and repeat it if it is not.", retryAfter: ComeAgain);
            case DbException:
                return StoreAwayAsync(context, error);
            case AiWorkflowsException e:
                return Problems.WriteAsync(context, StatusCodes.Status422UnprocessableEntity, e.Message);
            default:
                if (database.Explain(error) is not null)
                    return StoreAwayAsync(context, error);
                var trace = Activity.Current?.Id ?? context.TraceIdentifier;
                log.LogError(error, "Request {Method} {Path} failed; trace id {Trace}", context.Request.Method, context.Request.Path, trace);
                return Problems.WriteAsync(context, StatusCodes.Status500InternalServerError, "Something went wrong here, not in your request; the log of the host tells more under the trace id.", traceId: trace);
        }
    }

    private Task StoreAwayAsync(HttpContext context, Exception error)
    {
        // Clients come again and again while the store is away; one of them a second says enough.
        var now = Environment.TickCount64;
        if (Interlocked.Read(ref _lastLogged) is var last && now - last >= 1000 && Interlocked.CompareExchange(ref _lastLogged, now, last) == last)
            log.LogError(error, "Request {Method} {Path} found the store away", context.Request.Method, context.Request.Path);
        return Problems.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "The store does not answer; try again.", retryAfter: ComeAgain);
    }

    /// <summary>Refusals of the framework have no body: unknown address, wrong method.</summary>
    private static Task DescribeAsync(HttpContext context)
    {
        var response = context.Response;
        if (response.HasStarted || response.StatusCode < 400 || response.ContentLength is not null || response.ContentType is not null)
            return Task.CompletedTask;
        var detail = response.StatusCode switch
        {
            StatusCodes.Status404NotFound => "There is nothing at this address; /openapi/v1.json lists what there is.",
            StatusCodes.Status405MethodNotAllowed => $"This address does not take {ApiException.Shorten(context.Request.Method)}{(response.Headers.Allow.Count > 0 ? $"; it takes {response.Headers.Allow}" : "")}.",
            StatusCodes.Status415UnsupportedMediaType => "Send application/json.",
            _ => null,
        };
        return Problems.WriteAsync(context, response.StatusCode, detail);
    }

    private static void Clear(HttpResponse response)
    {
        // Headers that hold for every answer were set already, and stay.
        response.StatusCode = StatusCodes.Status200OK;
        response.Headers.ContentLength = null;
        response.Headers.ContentType = default;
        response.Headers.ETag = default;
    }
}
