using AiWorkflows.Hosting.Dashboard.Hosts;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Hosting.Dashboard.Search;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Dashboard;

internal sealed partial class DashboardReader
{
    private const int MostHosts = 50;
    private const int NamesPerKind = 10;

    public Task<HostsModel> HostsAsync() => cache.GetAsync("hosts", async () =>
    {
        var ct = CancellationToken.None;
        var hosts = await ledger.HostsAsync(ct).ConfigureAwait(false);
        var panels = Panels();
        var waiting = await panels.ReadAsync([], ledger.QueuesAsync, "queues").ConfigureAwait(false);
        var live = LiveHosts.Of(hosts, await ledger.NowAsync(ct).ConfigureAwait(false));
        var running = await panels.ReadAsync([], limited => queries.RunningStepsAsync(RowsPerPanel, limited), "running").ConfigureAwait(false);
        return new HostsModel([.. hosts.OrderByDescending(host => host.LastSeen).Take(MostHosts)], running, waiting, live.Unserved(waiting)) { Errors = panels.Errors };
    });

    /// <summary>By id: seeks. By name: the tables of names, which are small.</summary>
    public Task<SearchModel> SearchAsync(string text) => cache.GetAsync($"search {text}", async () =>
    {
        var ct = CancellationToken.None;
        var hits = new List<SearchHit>();
        if (long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var id))
        {
            if (await queries.RunAsync(id, ct).ConfigureAwait(false) is { } run)
                hits.Add(new("run", $"Run {SearchPage.Id(id)}", $"{run.Workflow}, {run.State}, {Format.Window(run.WindowFrom.Value, run.WindowTo.Value)}", $"/runs/{SearchPage.Id(id)}"));
            if (id >> 32 > 0 && await predictions.FindAsync(id, ct).ConfigureAwait(false) is { } prediction)
                hits.Add(new("prediction", $"Prediction {SearchPage.Id(id)}", $"{prediction.Model} v{SearchPage.Id(prediction.Version)} about {prediction.EntityKey.Text}", $"/predictions/{SearchPage.Id(id)}"));
            if (await backfills.FindAsync(id, ct).ConfigureAwait(false) is { } backfill)
                hits.Add(new("backfill", $"Backfill {SearchPage.Id(id)}", $"{backfill.Workflow}, {backfill.State}", $"/backfills/{SearchPage.Id(id)}"));
            if (await queries.FindCommitAsync(id, ct).ConfigureAwait(false) is { } commit)
                hits.Add(new("commit", $"Commit {SearchPage.Id(id)}", $"{commit.Name}, sequence {SearchPage.Id(commit.Id)}", $"/features/{Uri.EscapeDataString(commit.Name)}?seq={SearchPage.Id(commit.Id)}"));
        }
        var workflows = catalog.Workflows.Where(workflow => workflow.Name.Contains(text, StringComparison.OrdinalIgnoreCase)).ToArray();
        hits.AddRange(workflows.Take(NamesPerKind).Select(workflow => new SearchHit("workflow", workflow.Name, Format.Count(workflow.Stages.Count, "stage"), "/workflows/" + Uri.EscapeDataString(workflow.Name))));
        var names = await queries.NamesLikeAsync(text, 2 * NamesPerKind + 1, ct).ConfigureAwait(false);
        hits.AddRange(names.Take(2 * NamesPerKind).Select(name => name.Kind == "model"
            ? new SearchHit("model", name.Name, name.What ?? "", "/models/" + Uri.EscapeDataString(name.Name))
            : new SearchHit("feature group", name.Name, name.What ?? "", "/features/" + Uri.EscapeDataString(name.Name))));
        foreach (var candidate in Candidates(text))
            foreach (var model in await queries.ModelsAboutAsync(candidate, ct).ConfigureAwait(false))
                hits.Add(new("predictions", $"What {model.Name} said about {text}", model.Kind, $"/predictions?model={Uri.EscapeDataString(model.Name)}&key={Uri.EscapeDataString(text)}{(model.Kind == "online" ? "&made=online" : "")}"));
        return new SearchModel(text, hits, names.Count > 2 * NamesPerKind || workflows.Length > NamesPerKind);
    });

    private static IReadOnlyList<string> Candidates(string text)
    {
        try
        {
            return EntityKeyText.Candidates(text, "Key");
        }
        catch (InvalidRequestException)
        {
            return [];
        }
    }
}
