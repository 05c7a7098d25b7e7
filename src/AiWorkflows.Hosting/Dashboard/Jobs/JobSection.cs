using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Hosting.Security;
using AiWorkflows.Storage.Queries;
using Hangfire;
using Hangfire.Common;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Dashboard.Jobs;

/// <summary>Our section on Hangfire's job page, and its fresh parts.</summary>
internal static class JobSection
{
    /// <summary>Called by Hangfire while it renders a job's page; other jobs than ours get no section.</summary>
    public static NonEscapedString Render(JobDetailsRendererDto dto)
    {
        if (StageRunOf(dto.JobDetails.Job) is not { } stageRunId)
            return new("");
        dto.JobDetails.Properties.TryGetValue(JobProgress.Parameter, out var json);
        var state = dto.JobDetails.History.FirstOrDefault()?.StateName;
        var services = dto.Page.Context.GetHttpContext().RequestServices;
        // Hangfire renders synchronously; the answer usually lies in the cache, and is never awaited on a synchronisation context.
        var model = ModelAsync(services, dto.JobId, state, json, stageRunId).GetAwaiter().GetResult();
        return new(JobMarkup.Render(model, Context(dto.Page.Context)).ToString());
    }

    public static long? StageRunOf(Job? job) => job is not null && job.Type == typeof(StageJob) && job.Args.Count > 0 && job.Args[0] is long id ? id : null;

    public static PageContext Context(DashboardContext context) =>
        new(new UrlHelper(context).To("/").TrimEnd('/'), context.IsReadOnly, TimeProvider.System.GetUtcNow().UtcDateTime) { SignedInAs = Callers.NameOf(context.GetHttpContext().User) };

    public static async Task<JobModel> ModelAsync(IServiceProvider services, string jobId, string? state, string? json, long stageRunId)
    {
        DashboardStep? step = null;
        DashboardRun? run = null;
        try
        {
            var reader = services.GetRequiredService<DashboardReader>();
            step = await reader.StepAsync(stageRunId).ConfigureAwait(false);
            run = step is null ? null : await reader.RunHeadAsync(step.RunId).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The store is away: the job page shows what the job itself knows.
        }
        return new(jobId, state, JobProgressState.Read(json) ?? JobProgressState.Empty, step, run);
    }
}

/// <summary>The fresh parts of a job's section.</summary>
internal sealed class JobDispatcher : IDashboardDispatcher
{
    public async Task Dispatch(DashboardContext context)
    {
        var http = context.GetHttpContext();
        var jobId = Uri.UnescapeDataString(context.UriMatch.Groups["job"].Value);
        using var connection = context.Storage.GetReadOnlyConnection();
        if (JobSection.StageRunOf(connection.GetJobData(jobId)?.Job) is not { } stageRunId)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var state = connection.GetStateData(jobId)?.Name;
        var model = await JobSection.ModelAsync(http.RequestServices, jobId, state, connection.GetJobParameter(jobId, JobProgress.Parameter), stageRunId).ConfigureAwait(false);
        var content = new PageContent { Title = "", Section = "", Body = JobMarkup.Parts(model, JobSection.Context(context)), Ended = !model.IsOpen };
        await PageDispatcher.WritePartsAsync(http, content, content.Body).ConfigureAwait(false);
    }
}
