using AiWorkflows.Hosting.Dashboard.Rendering;

namespace AiWorkflows.Hosting.Dashboard.Pages;

/// <summary>Where links go and what the viewer may do: all that rendering needs to know of a request.</summary>
/// <param name="Now">The store's clock: what relative times count from.</param>
/// <param name="Base">Path of the dashboard, such as <c>/hangfire</c>.</param>
internal sealed record PageContext(string Base, bool IsReadOnly, DateTime Now)
{
    /// <summary>Who has signed in; null where nobody has to.</summary>
    public string? SignedInAs { get; init; }

    public string Url(string path) => Base + path;

    /// <summary>Where a session is ended; null where the dashboard is mounted elsewhere, and the program knows.</summary>
    public string? Logout => Base.EndsWith(OurPaths.Dashboard, StringComparison.OrdinalIgnoreCase) ? Base[..^OurPaths.Dashboard.Length] + OurPaths.Logout : null;

    public string Workflow(string name) => Url("/workflows/" + Uri.EscapeDataString(name));

    public string WorkflowRuns(string workflow) => Url("/runs?workflow=" + Uri.EscapeDataString(workflow));

    public string Run(long runId) => Url(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/runs/{runId}"));

    public string Backfill(long backfillId) => Url(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/backfills/{backfillId}"));

    public string Prediction(long predictionId) => Url(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/predictions/{predictionId}"));

    public string FeatureGroup(string name) => Url("/features/" + Uri.EscapeDataString(name));

    public string Model(string name, int? version = null) =>
        Url("/models/" + Uri.EscapeDataString(name)) + (version is { } v ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"?version={v}") : "");

    public string Job(string jobId) => Url("/jobs/details/" + Uri.EscapeDataString(jobId));

    public Markup Time(DateTime time) => Components.Time(time, Now);
}

/// <summary>A page: everything but the frame around it.</summary>
internal sealed record PageContent
{
    public required string Title { get; init; }

    /// <summary>The entry of the section bar that is marked.</summary>
    public required string Section { get; init; }

    public Markup Crumb { get; init; }

    /// <summary>The heading; the title where it is empty.</summary>
    public Markup Heading { get; init; }

    public Markup Subtitle { get; init; }

    public Markup Actions { get; init; }

    public required Markup Body { get; init; }

    /// <summary>Where the page gets its fresh parts; null for a page that does not change.</summary>
    public string? LiveUrl { get; init; }

    public int EveryMilliseconds { get; init; } = 5000;

    /// <summary>Nothing on the page will change any more.</summary>
    public bool Ended { get; init; }

    /// <summary>What it shows as a query, as a template of the store; null where one query does not say it.</summary>
    public string? Sql { get; init; }

    public int StatusCode { get; init; } = 200;
}

/// <summary>What the section bar shows.</summary>
/// <param name="EventTime">The business clock where it does not go with the system's; else null.</param>
/// <param name="Speed">How fast that clock runs through history; null where it stands.</param>
internal sealed record SectionBar(long Running, long Failed, DateTime? EventTime, double? Speed = null);
