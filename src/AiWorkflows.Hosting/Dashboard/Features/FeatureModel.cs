using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Features;

/// <param name="EventTime">The business clock, which freshness is counted from.</param>
internal sealed record FeatureGroupsModel(IReadOnlyList<DashboardGroup> Groups, DateTime EventTime);

/// <summary>Everything about one feature group, now or as of an earlier sequence.</summary>
internal sealed record FeatureGroupModel
{
    public required GroupRow Group { get; init; }
    public required IReadOnlyList<StoredColumn> Columns { get; init; }

    /// <summary>Null for now.</summary>
    public required long? Seq { get; init; }
    public required DateTime EventTime { get; init; }

    /// <summary>Newest first.</summary>
    public required IReadOnlyList<DashboardCommit> Commits { get; init; }

    /// <summary>Of the newest commits that computed rows, newest first.</summary>
    public required IReadOnlyList<GroupStatistics> Statistics { get; init; }
    public required IReadOnlyList<QuarantineCount> QuarantineCounts { get; init; }

    /// <summary>How many rows of the quarantine are counted, from the newest on.</summary>
    public const int MostQuarantineCounted = 10_000;

    /// <summary>Rows that are still kept out, of those that were counted.</summary>
    public long Waiting => QuarantineCounts.Sum(rule => rule.Rows - rule.Replayed);

    /// <summary>That number with a plus where there are more than were counted.</summary>
    public string WaitingText => Rendering.Format.Number(Waiting) + (QuarantineCounts.Sum(rule => rule.Rows) >= MostQuarantineCounted ? "+" : "");

    /// <summary>The newest rows that were kept out and have not been replayed.</summary>
    public required IReadOnlyList<QuarantineRow> Quarantine { get; init; }
    public required IReadOnlyList<LineageRow> UsedBy { get; init; }

    /// <summary>Views of this host that take their label from it.</summary>
    public required IReadOnlyList<string> LabelOf { get; init; }

    /// <summary>What the newest commit was made from.</summary>
    public required IReadOnlyList<InputRow> Reads { get; init; }

    /// <summary>Groups that pipelines of this host make from it.</summary>
    public IReadOnlyList<string> ReadBy { get; init; } = [];
    public required IReadOnlyList<DashboardChampion> Champions { get; init; }

    /// <summary>Which panels could not be read.</summary>
    public PanelErrors Errors { get; init; } = PanelErrors.None;
}

/// <summary>Rows of a group.</summary>
internal sealed record GroupRowsModel(string FeatureGroup, int Version, string? Key, DateTime? At, long? Seq, GroupRows Rows);
