namespace AiWorkflows.Features;

/// <summary>A row in quarantine that has not been replayed.</summary>
internal sealed record QuarantinedRecord(long QuarantineId, string RowJson);

/// <summary>Who replays, and what; becomes a run of its own, so that the commit leads back to somebody.</summary>
internal sealed record ReplayRequest(string Workflow, string Pipeline, Window Window, string By, string Host, string CodeVersion);

/// <summary>Rows that expectations kept out, on their way in after all.</summary>
internal interface IQuarantine
{
    /// <summary>Rows of a group that were not replayed, with an id above <paramref name="after"/>, by id.</summary>
    Task<IReadOnlyList<QuarantinedRecord>> ReadAsync(GroupSchema group, long after, int limit, CancellationToken ct);

    /// <summary>Begins a run with one step that is claimed already: nobody else executes it.</summary>
    Task<AttemptRef> BeginAsync(ReplayRequest request, CancellationToken ct);

    /// <summary>Remembers which commit took the rows in.</summary>
    Task MarkAsync(IReadOnlyList<long> quarantineIds, long commitId, CancellationToken ct);
}

/// <summary>What came of a replay.</summary>
/// <param name="Commit">Null where no row could be taken; then nothing was begun.</param>
/// <param name="Taken">Ids of the rows that the commit holds.</param>
/// <param name="Refused">Rows that violate the rules of today, or cannot be read any more, with the reason.</param>
internal sealed record ReplayResult(CommitSeal? Commit, AttemptRef? Attempt, IReadOnlyList<long> Taken, IReadOnlyList<(long QuarantineId, string Reason)> Refused);
