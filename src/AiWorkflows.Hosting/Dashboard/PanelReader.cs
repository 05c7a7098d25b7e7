using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage;

namespace AiWorkflows.Hosting.Dashboard;

/// <summary>
/// Reads what single panels of a page show. What fails, or takes too long, fails its panel and not the page; all panels of a page together may take twice as long
/// as one, so that a store that answers slowly does not hold the page for the time of each.
/// </summary>
internal sealed class PanelReader(TimeProvider system, StoreDatabase? database = null, TimeSpan? limit = null)
{
    /// <summary>How long a panel may take.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(100);

    private readonly TimeSpan _limit = limit ?? Limit;
    private readonly long _began = system.GetTimestamp();
    private readonly Dictionary<string, string> _failed = new(StringComparer.Ordinal);

    public PanelErrors Errors => new(_failed);

    /// <param name="otherwise">What the page goes on with where the panel cannot be read.</param>
    /// <param name="panels">Names of the panels that show it.</param>
    public async Task<T> ReadAsync<T>(T otherwise, Func<CancellationToken, Task<T>> read, params string[] panels)
    {
        var left = _limit * 2 - system.GetElapsedTime(_began);
        var patience = left < Least ? Least : left < _limit ? left : _limit;
        using var over = new CancellationTokenSource(patience, system);
        try
        {
            // On the embedded engine a statement runs on the thread that asks, so the clock needs another one.
            return await Task.Run(() => read(over.Token), CancellationToken.None).WaitAsync(over.Token).ConfigureAwait(false);
        }
        catch (Exception) when (over.IsCancellationRequested)
        {
            Note(panels, $"The store took longer than {Format.Duration(patience)} for it.");
        }
        catch (Exception e) when (e is not Pages.NoSuchPageException and not InvalidRequestException)
        {
            Note(panels, (e as AiWorkflowsException ?? database?.Explain(e))?.Message ?? $"{e.GetType().Name}: {Format.FirstLine(e.Message)}");
        }
        return otherwise;
    }

    private void Note(string[] panels, string why)
    {
        foreach (var panel in panels)
            _failed.TryAdd(panel, why);
    }
}

/// <summary>The panels of a page that could not be read.</summary>
internal sealed class PanelErrors(IReadOnlyDictionary<string, string> failed)
{
    public static readonly PanelErrors None = new(new Dictionary<string, string>());

    /// <summary>What stands in the panel in place of its content; empty for one that was read.</summary>
    public Markup this[string panel] => failed.TryGetValue(panel, out var why) ? Markup.Of(
        $"<div class=\"aw-empty is-small is-failed\" role=\"note\">{Status.Icon(Status.Warn)} <b>This part could not be read.</b> {Format.Shorten(why, 400)} The rest of the page stands; a live page tries again by itself.</div>") : Markup.Empty;
}
