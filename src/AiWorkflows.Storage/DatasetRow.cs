using AiWorkflows.Features;
using AiWorkflows.Models;

namespace AiWorkflows.Storage;

/// <summary>A row of <c>feature_store.training_datasets</c> as it is stored.</summary>
internal sealed class DatasetRow
{
    public long DatasetId { get; set; }

    public string FeatureView { get; set; } = "";

    public int ViewVersion { get; set; }

    public string ViewFingerprint { get; set; } = "";

    public Utc WindowFrom { get; set; }

    public Utc WindowTo { get; set; }

    public Utc CutOff { get; set; }

    public long LabelWithin { get; set; }

    public long AsOfSeq { get; set; }

    public long Rows { get; set; }

    public long UnlabelledRows { get; set; }

    public string ContentHash { get; set; } = "";

    public string FileName { get; set; } = "";

    public long FileBytes { get; set; }

    public string? StatisticsJson { get; set; }

    public string CodeVersion { get; set; } = "";

    public DatasetRecord ToRecord(IReadOnlyList<FeatureInput> inputs, IReadOnlyList<long> commits) => new()
    {
        DatasetId = DatasetId,
        View = FeatureView,
        ViewVersion = ViewVersion,
        ViewFingerprint = ViewFingerprint,
        Window = StoredWindow.Of(WindowFrom, WindowTo),
        CutOff = CutOff,
        Within = Timestamps.SpanFromMicros(LabelWithin),
        AsOfSeq = AsOfSeq,
        Rows = Rows,
        UnlabelledRows = UnlabelledRows,
        ContentHash = ContentHash,
        FileName = FileName,
        FileBytes = FileBytes,
        StatisticsJson = StatisticsJson,
        CodeVersion = CodeVersion,
        Inputs = inputs,
        Commits = commits,
    };
}
