using System.Text.Json;

namespace AiWorkflows.Training;

/// <summary>One bin of predicted probabilities.</summary>
/// <param name="Predicted">Mean predicted probability; NaN in an empty bin.</param>
/// <param name="Observed">Share of positive labels; NaN in an empty bin.</param>
internal readonly record struct CalibrationBin(long Count, double Predicted, double Observed);

/// <summary>Metrics of a model or baseline, with the curves that are drawn of it.</summary>
/// <param name="Roc">True positive rate at the false positive rates 0, 1/60 … 1; null unless binary.</param>
/// <param name="Calibration">Ten bins over [0, 1]; null where there is no probability.</param>
internal sealed record Evaluation(ModelMetrics Metrics, double[]? Roc = null, CalibrationBin[]? Calibration = null)
{
    public const int RocPoints = 61;
    public const int CalibrationBins = 10;

    /// <summary>Mean distance of predicted and observed over the calibration bins, weighted by rows; NaN without calibration.</summary>
    public double CalibrationError => Calibration is null || Metrics.Rows == 0
        ? double.NaN
        : Calibration.Where(b => b.Count > 0).Sum(b => b.Count * Math.Abs(b.Predicted - b.Observed)) / Metrics.Rows;

    /// <summary>
    /// An object with <c>rows</c> and those of <c>auc, log_loss, brier, accuracy, average_precision, positive_rate, calibration_error, mae, rmse, r2</c>
    /// that apply, <c>roc</c> (61 true positive rates) and <c>calibration</c> (ten objects with <c>from, to, count, predicted, observed</c>).
    /// </summary>
    public string ToJson()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
            Write(json);
        return System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("rows", Metrics.Rows);
        Number("auc", Metrics.Auc);
        Number("log_loss", Metrics.LogLoss);
        Number("brier", Metrics.Brier);
        Number("accuracy", Metrics.Accuracy);
        Number("average_precision", Metrics.AveragePrecision);
        Number("positive_rate", Metrics.PositiveRate);
        Number("calibration_error", CalibrationError);
        Number("mae", Metrics.MeanAbsoluteError);
        Number("rmse", Metrics.RootMeanSquaredError);
        Number("r2", Metrics.RSquared);
        if (Roc is not null)
        {
            json.WriteStartArray("roc");
            foreach (var rate in Roc)
                json.WriteNumberValue(Math.Round(rate, 6));
            json.WriteEndArray();
        }
        if (Calibration is not null)
        {
            json.WriteStartArray("calibration");
            for (var i = 0; i < Calibration.Length; i++)
            {
                json.WriteStartObject();
                json.WriteNumber("from", i / (double)Calibration.Length);
                json.WriteNumber("to", (i + 1) / (double)Calibration.Length);
                json.WriteNumber("count", Calibration[i].Count);
                Number("predicted", Calibration[i].Predicted);
                Number("observed", Calibration[i].Observed);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();

        void Number(string name, double value)
        {
            if (double.IsFinite(value))
                json.WriteNumber(name, value);
        }
    }
}
