namespace AiWorkflows.Models;

/// <summary>What a model predicts; follows from the type of the view's label.</summary>
internal enum ModelTask { Binary, Multiclass, Regression }

/// <summary>Names of tasks and of the metrics that decide, as they are stored.</summary>
internal static class ModelTasks
{
    public static ModelTask Of(Type label) =>
        label == typeof(bool) ? ModelTask.Binary
        : label == typeof(float) ? ModelTask.Regression
        : ModelTask.Multiclass;

    /// <summary>Null for a type that no label can have.</summary>
    public static ModelTask? TryOf(Type label) =>
        label == typeof(bool) || label == typeof(float) || label == typeof(string) || label.IsEnum ? Of(label) : null;

    public static string Name(this ModelTask task) => task switch
    {
        ModelTask.Binary => "binary",
        ModelTask.Multiclass => "multiclass",
        _ => "regression",
    };

    /// <summary>The metric by which versions are compared unless the pipeline says otherwise.</summary>
    public static string PrimaryMetric(this ModelTask task) => task switch
    {
        ModelTask.Binary => "auc",
        ModelTask.Multiclass => "accuracy",
        _ => "rmse",
    };

    public static double Primary(this ModelTask task, ModelMetrics metrics) => task switch
    {
        ModelTask.Binary => metrics.Auc,
        ModelTask.Multiclass => metrics.Accuracy,
        _ => metrics.RootMeanSquaredError,
    };

    /// <summary>Whether <paramref name="candidate"/> is strictly better by the primary metric; never with NaN.</summary>
    public static bool IsBetter(this ModelTask task, ModelMetrics candidate, ModelMetrics reference) => task == ModelTask.Regression
        ? task.Primary(candidate) < task.Primary(reference)
        : task.Primary(candidate) > task.Primary(reference);
}
