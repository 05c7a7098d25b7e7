using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace AiWorkflows.FaultHost;

/// <summary>What happens to this process when it reaches a point for the n-th time.</summary>
internal enum FaultKind
{
    /// <summary>SIGKILL: nothing more is executed.</summary>
    Kill,

    /// <summary>SIGSTOP: it stands still until somebody sends SIGCONT, and goes on as if nothing had happened.</summary>
    Stop,

    /// <summary>An exception.</summary>
    Throw,

    /// <summary>Code that never returns and looks at no token.</summary>
    Hang,

    /// <summary>Code that waits until it is cancelled.</summary>
    Wait,

    /// <summary>Code that takes a third of a second longer.</summary>
    Pause,
}

internal sealed record Fault(FaultKind Kind, string Point, int Occurrence)
{
    /// <summary>As in <c>Kill:after WinAsync:2</c>; an occurrence of 0 means every time.</summary>
    public static Fault Parse(string text)
    {
        var parts = text.Split(':');
        return new(Enum.Parse<FaultKind>(parts[0]), parts[1], int.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture));
    }
}

/// <summary>The points that this process passes, and what is to happen there.</summary>
/// <param name="trace">File that gets the name of each point when it is first passed; null for none.</param>
public sealed class Faults
{
    private readonly IReadOnlyList<Fault> _faults;
    private readonly string? _trace;
    private readonly ConcurrentDictionary<string, int> _passed = [];
    private readonly Lock _gate = new();

    internal Faults(IReadOnlyList<Fault> faults, string? trace) => (_faults, _trace) = (faults, trace);

    /// <summary>The point of a thread that cannot wait: only Kill, Stop and Throw.</summary>
    public void Reach(string point)
    {
        foreach (var fault in Due(point))
            Act(fault);
    }

    /// <summary>A point in the code of a stage.</summary>
    public async Task ReachAsync(string point, CancellationToken ct)
    {
        foreach (var fault in Due(point))
            switch (fault.Kind)
            {
                case FaultKind.Hang:
                    await Task.Delay(Timeout.Infinite, CancellationToken.None);
                    break;
                case FaultKind.Wait:
                    await Task.Delay(Timeout.Infinite, ct);
                    break;
                case FaultKind.Pause:
                    await Task.Delay(TimeSpan.FromMilliseconds(300), ct);
                    break;
                default:
                    Act(fault);
                    break;
            }
    }

    private IReadOnlyList<Fault> Due(string point)
    {
        var count = _passed.AddOrUpdate(point, 1, static (_, n) => n + 1);
        if (count == 1 && _trace is not null)
            lock (_gate)
                File.AppendAllText(_trace, point + "\n");
        return [.. _faults.Where(f => f.Point == point && (f.Occurrence == 0 || f.Occurrence == count))];
    }

    private static void Act(Fault fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.Kill:
                Signal(9);
                break;
            case FaultKind.Stop:
                Signal(19);
                break;
            default:
                throw new InvalidOperationException($"planted at {fault.Point}");
        }
    }

    private static void Signal(int signal)
    {
        _ = Native.Kill(Environment.ProcessId, signal);
        // The signal is delivered to the process, perhaps a moment after the call has returned to this thread.
        Thread.SpinWait(10_000_000);
    }

    private static class Native
    {
        [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
        public static extern int Kill(int process, int signal);
    }
}
