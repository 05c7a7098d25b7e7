using System.Globalization;
using AiWorkflows.Hosting.Cli;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Dashboard.Actions;

/// <summary>
/// What people do from the pages. Each goes through the engine, which records who did it. An answer of null is success; a sentence says why
/// nothing was done.
/// </summary>
internal static class DashboardActions
{
    public static async Task<string?> RunNowAsync(ActionRequest request, CancellationToken ct)
    {
        var (from, to) = (request.Time("from"), request.Time("to"));
        if (from is null != to is null)
            return "A window has two ends; leave both empty for whatever is owed.";
        var window = from is { } start && to is { } end ? Engine(request).RequireWindow(request.Name, start, end) : (Window?)null;
        var result = await Engine(request).RequestAsync(new(request.Name, window, request.By, "manual", Hindsight: request.Field("hindsight") == "yes"), ct).ConfigureAwait(false);
        return result.Outcome is RequestOutcome.NothingOwed or RequestOutcome.AlreadyOpen ? result.Message : null;
    }

    public static async Task<string?> RequestBackfillAsync(ActionRequest request, CancellationToken ct)
    {
        if (request.Time("from") is not { } from || request.Time("to") is not { } to || request.Field("every") is not { } every)
            return "A backfill needs its start, its end and the length of its windows.";
        var parallel = int.TryParse(request.Field("parallel"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (int?)null;
        var (backfill, created) = await Engine(request).RequestBackfillAsync(
            new(request.Name, from, to, SpanText.Parse(every, "Windows of"), parallel, request.Field("train") == "yes", [], request.By, Again: false), ct).ConfigureAwait(false);
        return created ? null : $"That is backfill {backfill.BackfillId} already, of {Timestamps.Display(backfill.RequestedAt)}.";
    }

    public static async Task<string?> PauseAsync(ActionRequest request, CancellationToken ct)
    {
        await Engine(request).PauseAsync(request.Name, request.By, ct).ConfigureAwait(false);
        return null;
    }

    public static async Task<string?> ResumeScheduleAsync(ActionRequest request, CancellationToken ct)
    {
        await Engine(request).ResumeScheduleAsync(request.Name, request.By, ct).ConfigureAwait(false);
        return null;
    }

    public static async Task<string?> CancelAsync(ActionRequest request, CancellationToken ct) =>
        await Engine(request).CancelAsync(request.Id, request.By, request.Field("reason-cancel"), ct).ConfigureAwait(false) ? null : $"Run {request.Id} had ended already.";

    public static async Task<string?> ResumeAsync(ActionRequest request, CancellationToken ct) =>
        await Engine(request).ResumeAsync(request.Id, request.By, ct).ConfigureAwait(false) ? null : $"Run {request.Id} has neither failed nor been cancelled; there is nothing to resume.";

    public static async Task<string?> CancelBackfillAsync(ActionRequest request, CancellationToken ct) =>
        await Engine(request).CancelBackfillAsync(request.Id, request.By, request.Reason("cancel"), ct).ConfigureAwait(false) > 0 ? null : $"All windows of backfill {request.Id} had ended already.";

    public static async Task<string?> RetryBackfillAsync(ActionRequest request, CancellationToken ct) =>
        await Engine(request).RetryBackfillAsync(request.Id, request.By, ct).ConfigureAwait(false) > 0 ? null : $"No window of backfill {request.Id} has failed or was cancelled; there is nothing to retry.";

    public static async Task<string?> ReplayAsync(ActionRequest request, CancellationToken ct)
    {
        var outcome = await ActivatorUtilities.CreateInstance<QuarantineReplay>(request.Services).RunAsync(request.Name, new HashSet<long>(), accept: request.Field("accept") == "yes", request.By, ct).ConfigureAwait(false);
        return outcome.Taken > 0 ? null : outcome.Refused.Count == 0 ? $"No rows of {request.Name} are in quarantine."
            : $"All {outcome.Refused.Count} rows stay in quarantine; the first because it {outcome.Refused[0].Reason}.";
    }

    private static RunEngine Engine(ActionRequest request) => request.Services.GetRequiredService<RunEngine>();
}
