using AiWorkflows.Models;

namespace AiWorkflows.Storage;

/// <summary>A row of <c>model_registry.versions</c> as it is stored.</summary>
internal sealed class ModelVersionRow
{
    public string Model { get; set; } = "";

    public int Version { get; set; }

    public string Pipeline { get; set; } = "";

    public string Task { get; set; } = "";

    public string? Description { get; set; }

    public string Trainer { get; set; } = "";

    public string Parameters { get; set; } = "";

    public int? Seed { get; set; }

    public long DatasetId { get; set; }

    public string FeatureView { get; set; } = "";

    public int ViewVersion { get; set; }

    public string ViewFingerprint { get; set; } = "";

    public Utc CutOff { get; set; }

    public Utc TrainingFrom { get; set; }

    public Utc TrainingTo { get; set; }

    public Utc HoldoutFrom { get; set; }

    public Utc HoldoutTo { get; set; }

    public long TrainingRows { get; set; }

    public long HoldoutRows { get; set; }

    public long Refit { get; set; }

    public string Metrics { get; set; } = "";

    public string BaselineMetrics { get; set; } = "";

    public string? ChampionMetrics { get; set; }

    public string PrimaryMetric { get; set; } = "";

    public double PrimaryValue { get; set; }

    public double BaselineValue { get; set; }

    public string Signature { get; set; } = "";

    public string? FeatureImportance { get; set; }

    public string ArtifactSha256 { get; set; } = "";

    public string ContentSha256 { get; set; } = "";

    public long Reproducible { get; set; }

    public string? Reason { get; set; }

    public string Promotion { get; set; } = "";

    public long? RunId { get; set; }

    public string CodeVersion { get; set; } = "";

    public Utc CreatedAt { get; set; }

    public ModelVersionRecord ToRecord() => new()
    {
        Model = Model,
        Version = Version,
        Pipeline = Pipeline,
        Task = Task,
        Description = Description,
        Trainer = Trainer,
        ParametersJson = Parameters,
        Seed = Seed,
        DatasetId = DatasetId,
        View = FeatureView,
        ViewVersion = ViewVersion,
        ViewFingerprint = ViewFingerprint,
        CutOff = CutOff,
        Training = StoredWindow.Of(TrainingFrom, TrainingTo),
        Holdout = StoredWindow.Of(HoldoutFrom, HoldoutTo),
        TrainingRows = TrainingRows,
        HoldoutRows = HoldoutRows,
        Refit = Refit != 0,
        MetricsJson = Metrics,
        BaselineMetricsJson = BaselineMetrics,
        ChampionMetricsJson = ChampionMetrics,
        PrimaryMetric = PrimaryMetric,
        PrimaryValue = PrimaryValue,
        BaselineValue = BaselineValue,
        SignatureJson = Signature,
        FeatureImportanceJson = FeatureImportance,
        ArtifactSha256 = ArtifactSha256,
        ContentSha256 = ContentSha256,
        Reproducible = Reproducible != 0,
        Reason = Reason,
        Promotion = Promotion,
        RunId = RunId,
        CodeVersion = CodeVersion,
        CreatedAt = CreatedAt,
    };
}
