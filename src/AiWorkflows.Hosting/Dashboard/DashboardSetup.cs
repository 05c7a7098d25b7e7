using AiWorkflows.Hosting.Dashboard.Actions;
using AiWorkflows.Hosting.Dashboard.Backfills;
using AiWorkflows.Hosting.Dashboard.Features;
using AiWorkflows.Hosting.Dashboard.Hosts;
using AiWorkflows.Hosting.Dashboard.Jobs;
using AiWorkflows.Hosting.Dashboard.Models;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Predictions;
using AiWorkflows.Hosting.Dashboard.Runs;
using AiWorkflows.Hosting.Dashboard.Search;
using AiWorkflows.Hosting.Dashboard.Streams;
using AiWorkflows.Hosting.Dashboard.Workflows;
using Hangfire;
using Hangfire.Dashboard;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Dashboard;

/// <summary>
/// Adds our pages to Hangfire's dashboard. Routes, menu, styles and job sections are static in Hangfire: they are registered once in a process,
/// however many hosts live in it, and find the services of their host in the request.
/// </summary>
internal static class DashboardSetup
{
    private static readonly string[] OurPaths = ["/workflows", "/runs", "/backfills", "/features", "/models", "/predictions", "/streams", "/hosts", "/search"];
    private static int _registered;

    public static void Register(IGlobalConfiguration configuration)
    {
        if (Interlocked.Exchange(ref _registered, 1) == 1)
            return;

        var assembly = typeof(DashboardSetup).Assembly;
        const string assets = "AiWorkflows.Hosting.Dashboard.Assets.";
        configuration.UseDashboardStylesheet(assembly, assets + "aiworkflows.css")
            .UseDashboardStylesheetDarkMode(assembly, assets + "aiworkflows-dark.css")
            .UseDashboardJavaScript(assembly, assets + "aiworkflows.js")
            .UseJobDetailsRenderer(10, JobSection.Render)
            .UseDashboardMetric(FailedRuns);
        AddPage("/workflows", new WorkflowsPage());
        AddPage("/runs", new RunsPage());
        AddPage("/backfills", new BackfillsPage());
        AddPage("/features", new FeatureGroupsPage());
        AddPage("/models", new ModelsPage());
        AddPage("/hosts", new HostsPage());
        AddPage("/search", new SearchPage());
        AddPage("/workflows/(?<name>[^/]+)", new WorkflowPage());
        AddPage("/predictions", new PredictionsPage());
        AddPage("/streams", new StreamsPage());
        AddPage("/predictions/(?<id>[0-9]{1,19})", new PredictionPage());
        AddPage("/runs/(?<id>[0-9]{1,18})", new RunPage());
        AddPage("/runs/(?<id>[0-9]{1,18})/compare", new CompareRunsPage());
        AddPage("/backfills/(?<id>[0-9]{1,18})", new BackfillPage());
        AddPage("/features/(?<name>[^/]+)", new FeatureGroupPage());
        AddPage("/features/(?<name>[^/]+)/rows", new GroupRowsPage());
        AddPage("/models/(?<name>[^/]+)", new ModelPage());
        AddPage("/models/(?<name>[^/]+)/compare", new ComparePage());

        var routes = DashboardRoutes.Routes;
        routes.Add("/runs/(?<id>[0-9]{1,18})/log", new LogDispatcher());
        routes.Add("/runs/(?<id>[0-9]{1,18})/log.txt", new LogFileDispatcher());
        routes.Add("/aw/jobs/(?<job>[^/]+)", new JobDispatcher());
        routes.Add("/models/(?<name>[^/]+)/versions/(?<version>[0-9]{1,9})/download", new ArtifactDispatcher());
        routes.Add("/features/(?<name>[^/]+)/replay", new ActionDispatcher(DashboardActions.ReplayAsync));
        routes.Add("/models/(?<name>[^/]+)/promote", new ActionDispatcher(ModelChanges.PromoteAsync));
        routes.Add("/models/(?<name>[^/]+)/rollback", new ActionDispatcher(ModelChanges.RollBackAsync));
        routes.Add("/workflows/(?<name>[^/]+)/backfill", new ActionDispatcher(DashboardActions.RequestBackfillAsync));
        routes.Add("/workflows/(?<name>[^/]+)/run", new ActionDispatcher(DashboardActions.RunNowAsync));
        routes.Add("/workflows/(?<name>[^/]+)/pause", new ActionDispatcher(DashboardActions.PauseAsync));
        routes.Add("/workflows/(?<name>[^/]+)/resume", new ActionDispatcher(DashboardActions.ResumeScheduleAsync));
        routes.Add("/runs/(?<id>[0-9]{1,18})/cancel", new ActionDispatcher(DashboardActions.CancelAsync));
        routes.Add("/runs/(?<id>[0-9]{1,18})/resume", new ActionDispatcher(DashboardActions.ResumeAsync));

        routes.Add("/backfills/(?<id>[0-9]{1,18})/cancel", new ActionDispatcher(DashboardActions.CancelBackfillAsync));
        routes.Add("/backfills/(?<id>[0-9]{1,18})/retry", new ActionDispatcher(DashboardActions.RetryBackfillAsync));

        NavigationMenu.Items.Insert(0, page => new MenuItem("Workflows", page.Url.To("/workflows"))
        {
            Active = OurPaths.Any(path => page.RequestPath.StartsWith(path, StringComparison.Ordinal)),
            Metric = FailedRuns,
        });
    }

    private static void AddPage(string path, DashboardPage page)
    {
        DashboardRoutes.Routes.Add(path, new PageDispatcher(page, partsOnly: false));
        DashboardRoutes.Routes.Add(path + "/parts", new PageDispatcher(page, partsOnly: true));
    }

    /// <summary>Failed runs that nothing has made good; hidden at zero. Asked for by every open tab every two seconds, answered from the cache.</summary>
    private static readonly DashboardMetric FailedRuns = new("aiworkflows:failed", "Failed runs", page =>
    {
        var failed = 0;
        try
        {
            if (page.Context.GetHttpContext().RequestServices.GetService<DashboardReader>() is { } reader)
                failed = reader.OpenAndFailedAsync().GetAwaiter().GetResult().Count(run => !run.IsOpen);
        }
        catch (Exception)
        {
            // Hangfire's own pages keep working when the store is away.
            return null;
        }
        return failed == 0 ? null : new Metric(failed) { Style = MetricStyle.Danger, Highlighted = true };
    });
}
