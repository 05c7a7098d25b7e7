using System.Threading.RateLimiting;
using AiWorkflows.Hosting.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace AiWorkflows.Hosting.Security;

/// <summary>Marks an endpoint whose requests are counted as predictions.</summary>
internal sealed class PredictionLimit
{
    public static readonly PredictionLimit Instance = new();
}

/// <summary>
/// How much one key, person or address may ask for at a time. The buckets are this host's: several hosts allow so much each. Others of the program's own
/// are left alone, for they are not in the options of the framework's middleware.
/// </summary>
internal sealed class Limits : IDisposable
{
    private readonly long _maxBody;
    private readonly Buckets? _requests;
    private readonly Buckets? _predictions;

    public Limits(HostSettings settings)
    {
        var options = settings.Options.Security;
        _maxBody = options.MaxBodyBytes;
        _requests = PerSecond(options.RequestsPerSecond);
        _predictions = PerSecond(options.PredictionsPerSecond);
    }

    /// <summary>Answers a request that asks for too much; false where it may go on, with the size of its body limited.</summary>
    public async Task<bool> RefuseAsync(HttpContext context)
    {
        var endpoint = context.GetEndpoint();
        var max = endpoint?.Metadata.GetMetadata<IRequestSizeLimitMetadata>()?.MaxRequestBodySize ?? _maxBody;
        if (context.Request.ContentLength > max)
        {
            // The rest of the body is not read, so the connection cannot be used again.
            context.Response.Headers.Connection = "close";
            await Problems.WriteAsync(context, StatusCodes.Status413PayloadTooLarge, $"The body has {context.Request.ContentLength} bytes; this address takes {max}. Send it in smaller parts.");
            return true;
        }
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = max;

        var limiter = endpoint?.Metadata.GetMetadata<PredictionLimit>() is not null ? _predictions : _requests;
        if (limiter is null)
            return false;
        using var lease = limiter.Take(Who(context));
        if (lease.IsAcquired)
            return false;
        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? Math.Max(1, (int)Math.Ceiling(after.TotalSeconds)) : 1;
        await Problems.WriteAsync(context, StatusCodes.Status429TooManyRequests, "Too many requests at a time; wait, and send fewer.", retryAfter: wait);
        return true;
    }

    public void Dispose()
    {
        _requests?.Dispose();
        _predictions?.Dispose();
    }

    private static string Who(HttpContext context) => Callers.NameOf(context.User) is { } name ? "name " + name : "address " + Callers.NetworkOf(context);

    private static Buckets? PerSecond(int count) => count == 0 ? null
        : new(2 * count, Math.Max(1, count / 10), TimeSpan.FromSeconds(count >= 10 ? 0.1 : 1.0 / count));
}
