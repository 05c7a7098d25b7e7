using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Workflows;

internal sealed partial class RunEngine
{
    /// <summary>When this host first found that no host knows a stage, or a workflow.</summary>
    private readonly Dictionary<string, long> _unknownSince = new(StringComparer.Ordinal);

    private long _warned;

    /// <summary>
    /// Hosts of several versions may share a database, so what one does not know is left to those that do. What none has known for a while
    /// would wait for ever: it fails, and says why.
    /// </summary>
    private async Task FailUnknownAsync(CancellationToken ct)
    {
        if (_options.OnlyHost)
            return;
        var still = new HashSet<string>(StringComparer.Ordinal);
        LiveHosts? hosts = null;
        foreach (var run in await Ledger.OpenRunsAsync(ct))
        {
            if (_catalog.FindWorkflow(run.Workflow) is null && run.State == States.Requested)
            {
                hosts ??= await LiveHosts.ReadAsync(Ledger, ct);
                if (!hosts.Know(run.Workflow) && IsUnknownForLong(run.Workflow, still) && await Ledger.CancelAsync(run.RunId, _options.Host, NoSuchWorkflow(run.Workflow), ct))
                    await OnEndedAsync(run.RunId, ct);
                continue;
            }
            foreach (var step in (await Ledger.StageRunsAsync(run.RunId, ct)).Where(s => s.State == States.Pending && !Knows(run, s)))
            {
                hosts ??= await LiveHosts.ReadAsync(Ledger, ct);
                if (hosts.Know(run.Workflow, step.Stage) || !IsUnknownForLong(LiveHosts.NameOf(run.Workflow, step.Stage), still))
                    continue;
                if (await Ledger.FailUnknownAsync(step.StageRunId, NoSuchStage(run, step.Stage), ct))
                    await AdvanceAsync(run, null, look: true, ct);
            }
        }
        foreach (var known in _unknownSince.Keys.Where(name => !still.Contains(name)).ToArray())
            _unknownSince.Remove(known);
    }

    /// <summary>Says so, once a minute, while steps wait in a queue that no host serves.</summary>
    private async Task WarnOfUnservedQueuesAsync(CancellationToken ct)
    {
        if (_options.OnlyHost || (_warned != 0 && Stopwatch.GetElapsedTime(_warned) < TimeSpan.FromMinutes(1)))
            return;
        var waiting = await Ledger.QueuesAsync(ct);
        if (waiting.Count == 0)
            return;
        foreach (var queue in (await LiveHosts.ReadAsync(Ledger, ct)).Unserved(waiting))
        {
            _warned = Stopwatch.GetTimestamp();
            _log.LogWarning("{Queue}", LiveHosts.Describe(queue));
        }
    }

    private bool Knows(RunRecord run, StageRunRecord step) => _catalog.FindWorkflow(run.Workflow)?.Stages.Any(s => s.Name == step.Stage) == true;

    private bool IsUnknownForLong(string name, HashSet<string> still)
    {
        still.Add(name);
        if (!_unknownSince.TryGetValue(name, out var since))
            _unknownSince[name] = since = Stopwatch.GetTimestamp();
        return Stopwatch.GetElapsedTime(since) >= _options.UnknownFor;
    }

    private string NoSuchWorkflow(string workflow) => NearMatches.Unknown("workflow", workflow, _catalog.Workflows.Select(w => w.Name)).Message;

    private static string NoSuchStage(RunRecord run, string stage) =>
        $"Stage '{stage}' of {run.Workflow} is not defined in any version of the code that is running. Start a host with the version that planned it and resume run {run.RunId}; or request the window again, which the present version plans anew.";
}
