using System.Globalization;
using AiWorkflows.Storage;

namespace AiWorkflows.Tests.Dashboard;

/// <summary>What training stored with the two newest versions of the seed's model.</summary>
internal static class ModelSeed
{
    public static async Task FillAsync(WriteTransaction tx)
    {
        foreach (var (version, loss, auc, leaves) in new[] { (11, 0.40, 0.76, 31), (12, 0.42, 0.77, 63) })
            await tx.ExecuteAsync(
                """
                UPDATE {model_registry.versions} SET metrics = @metrics, baseline_metrics = @baseline, parameters = @parameters, feature_importance = '{"RouteHourLate":0.47,"Hour":0.3,"<b>Gap</b>":0.23}', artifact_sha256 = 'sha'
                WHERE model = 'flight-delay' AND version = @version
                """,
                new
                {
                    version, parameters = """{"trainer":"LightGbm","options":{"Rate":0.1,"Leaves":""" + leaves.ToString(CultureInfo.InvariantCulture) + "}}", baseline = """{"route and hour":{"auc":0.71,"roc":[""" + Roc(0.8) + "]}}",
                    metrics = FormattableString.Invariant($$"""{"rows":100,"auc":{{auc}},"log_loss":{{loss}},"roc":[""") + Roc(0.6) + "],\"calibration\":[" + Bins() + "]}",
                });
        await tx.ExecuteAsync("INSERT INTO {model_registry.artifacts} (sha256, bytes, content, created_at) VALUES ('sha', 3, @content, 0)", new { content = new byte[] { 1, 2, 3 } });
        await tx.ExecuteAsync("INSERT INTO {model_registry.alias_history} (model, alias, version, previous_version, changed_at, changed_by, reason) VALUES ('flight-delay', 'champion', 12, NULL, 0, 'run 40', 'better')");
        await tx.ExecuteAsync("INSERT INTO {feature_store.dataset_inputs} (dataset_id, feature_group, version, as_of_seq, window_from, window_to) VALUES (1, 'departures', 1, 9110, 0, 86400000000)");
    }

    private static string Roc(double power) => string.Join(',', Enumerable.Range(0, 61).Select(i => Math.Round(Math.Pow(i / 60d, power), 6).ToString(CultureInfo.InvariantCulture)));

    /// <summary>100 examples a bin of a tenth, of the bin from 0.2 on a share that is predicted: 30 of them positive from 0.2 to 0.4, none above.</summary>
    private static string Bins() => string.Join(',', Enumerable.Range(0, 10).Select(i => FormattableString.Invariant($"{{\"from\":{i / 10d},\"to\":{(i + 1) / 10d},\"count\":{(i < 4 ? 100 : 0)}")
        + (i < 4 ? FormattableString.Invariant($",\"predicted\":{i / 10d + 0.05},\"observed\":{(i is 2 or 3 ? 0.15 : 0.05)}}}") : "}")));
}
