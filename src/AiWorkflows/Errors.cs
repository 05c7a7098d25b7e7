namespace AiWorkflows;

/// <summary>An error that a person can act on; its message says what was wrong, where, and what to do. Never printed with a stack trace.</summary>
public class AiWorkflowsException : Exception
{
    /// <summary>Creates the exception with the message that the user reads.</summary>
    public AiWorkflowsException(string message, Exception? inner = null) : base(message, inner) { }

    /// <summary>The store did not answer: the same may succeed once it is back.</summary>
    internal bool StoreIsAway { get; init; }
}

/// <summary>The request or the configuration was wrong (unknown name, misaligned window, unreadable file); nothing was changed. Exit code 2.</summary>
public sealed class InvalidRequestException : AiWorkflowsException
{
    /// <summary>Creates the exception with the message that the user reads.</summary>
    public InvalidRequestException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>A stage cannot succeed by trying again (no champion, too few rows, a violated expectation); it fails at once, without retries.</summary>
public sealed class StageFailedException : AiWorkflowsException
{
    /// <summary>Creates the exception with the message that the user reads.</summary>
    public StageFailedException(string message, Exception? inner = null) : base(message, inner) { }

    /// <summary>Whether there is too little history yet, which a walk through history passes over.</summary>
    internal bool NoHistory { get; init; }
}

/// <summary>Every mistake of every definition, found at start-up and listed at once.</summary>
public sealed class InvalidDefinitionsException : AiWorkflowsException
{
    /// <summary>Creates the exception from the list of mistakes, each naming type and member, what was found, what to change.</summary>
    public InvalidDefinitionsException(IReadOnlyList<string> errors)
        : base($"{errors.Count} wrong definition{(errors.Count == 1 ? "" : "s")}:\n" + string.Join("\n", errors.Select((error, i) => $"  {i + 1}. {error}"))) =>
        Errors = errors;

    /// <summary>The mistakes, in the order of definition.</summary>
    public IReadOnlyList<string> Errors { get; }
}

/// <summary>The attempt has lost its lease, or its run was ended: it must stop, and can publish nothing.</summary>
internal sealed class FencedException(string message) : Exception(message);

/// <summary>Proposes names close to one that is unknown.</summary>
internal static class NearMatches
{
    /// <summary>"unknown workflow 'flight-dealys'; did you mean flight-delays?" or, with nothing close, the list of what there is.</summary>
    public static InvalidRequestException Unknown(string kind, string name, IEnumerable<string> known)
    {
        var all = known.Distinct().Order(StringComparer.Ordinal).ToArray();
        var near = all.Where(k => Distance(k, name) <= Math.Max(2, name.Length / 3) || k.Contains(name, StringComparison.OrdinalIgnoreCase)).Take(3).ToArray();
        var hint = near.Length > 0 ? $"did you mean {string.Join(" or ", near)}?"
            : all.Length == 0 ? $"there is none yet."
            : $"there {(all.Length == 1 ? "is" : "are")} {string.Join(", ", all.Take(10))}{(all.Length > 10 ? $" and {all.Length - 10} more" : "")}.";
        return new InvalidRequestException($"Unknown {kind} '{name}': {hint}");
    }

    /// <summary>Levenshtein distance, ignoring case.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + cost));
            }
        }
        return row[b.Length];
    }
}
