using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Models;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Models;

/// <summary>Promoting and rolling back: a panel that its button opens, with what it will do and why it is done.</summary>
internal static class ModelForms
{
    public static Markup Buttons(ModelModel model, PageContext context)
    {
        var compare = model.Versions.Count < 2 ? Markup.Empty : Link(Url(model, context) + "/compare" + (model.Shown.Version == model.Champion ? "" : $"?b={Number(model.Shown.Version)}"), "Compare", "btn btn-default btn-sm");
        var download = Link($"{Url(model, context)}/versions/{Number(model.Shown.Version)}/download", $"Download v{Number(model.Shown.Version)}", "btn btn-default btn-sm");
        if (context.IsReadOnly)
            return compare + download;
        var promote = model.Versions.Count == 1 && model.Champion is not null ? Markup.Empty : Link("#promote", "Promote…", "btn btn-primary btn-sm");
        return promote + compare + download + Markup.When(model.Previous is not null, Link("#rollback", $"Roll back to v{Number(model.Previous ?? 0)}…", "btn btn-default btn-sm aw-danger"));
    }

    public static Markup Panels(ModelModel model, PageContext context)
    {
        if (context.IsReadOnly)
            return Markup.Empty;
        var offered = model.Shown.Version != model.Champion ? model.Shown.Version : model.Versions[0].Version;
        var versions = model.Versions.Select(v => (Number(v.Version), $"v{v.Version}: {Metric(v.PrimaryValue)} over {Metric(v.BaselineValue)}{(v.Version == model.Champion ? ", champion" : "")}"));
        var promote = Panel("promote", "Promote a version", $"As champion, online and batch scoring use it from their next request on; {(model.Champion is { } now ? $"v{now} stays and can be put back" : "there is no champion yet")}. Runs and backfills that have begun keep theirs.",
            Url(model, context) + "/promote", Fields.Select("version", "Version", null, versions, Number(offered)) + Fields.Select("alias", "as", null, Aliases(model), ModelActions.Champion) + Fields.Text("another", "or as another alias", null, "canary", 14), "Promote", "btn-primary");
        return promote + (model.Previous is not { } previous ? Markup.Empty : Panel("rollback", $"Roll back to v{Number(previous)}",
            $"v{Number(previous)}, the champion before v{Number(model.Champion ?? 0)}, serves again from the next request on. Predictions that were made stay as they are.", Url(model, context) + "/rollback", Markup.Empty, $"Roll back to v{Number(previous)}", "btn-default aw-danger"));
    }

    /// <summary>Shown by its address, without script; what is posted is answered below the button where it is refused.</summary>
    internal static Markup Panel(string id, string title, string what, string url, Markup fields, string button, string css) => Markup.Of(
        $"""
        <section class="aw-panel aw-target" id="{id}"><header><h2>{title}</h2></header><div class="aw-body"><p>{what}</p><form class="aw-form" data-aw-post="{url}">{fields}{Fields.Wide("reason-" + id, "Why (kept on record)", "", required: true)}<button class="btn btn-sm {css}" type="submit">{button}</button><a class="btn btn-default btn-sm" href="#">Not now</a><output></output></form></div></section>
        """);

    /// <summary>Those that the model has, after the two that mean something to the product.</summary>
    private static IEnumerable<string> Aliases(ModelModel model) =>
        new[] { ModelActions.Champion, "challenger" }.Concat(model.Versions.SelectMany(version => (version.Aliases ?? "").Split(", ", StringSplitOptions.RemoveEmptyEntries)).Order(StringComparer.Ordinal)).Distinct();

    private static string Url(ModelModel model, PageContext context) => context.Model(model.Model);

    private static string Metric(double value) => Format.Number(value, "0.000");

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
