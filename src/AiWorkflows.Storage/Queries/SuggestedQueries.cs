using System.Globalization;
using System.Runtime.CompilerServices;

namespace AiWorkflows.Storage.Queries;

/// <summary>Queries that are shown to people, to be typed or changed; never run here. Templates, but for the names that <see cref="ViewOf"/> and <see cref="Scored"/> render.</summary>
internal static class SuggestedQueries
{
    public const string Hosts = "SELECT host, kind, url, queues, code_version, started_at, last_seen FROM {workflows.hosts} ORDER BY last_seen DESC";

    public const string Runs = "SELECT {top:50}run_id, workflow, state, window_from, window_to, triggered_by, requested_by, started_at, finished_at, error FROM {workflows.runs} ORDER BY run_id DESC{top_end:50}";

    public const string Workflows = "SELECT workflow, paused_at, paused_by, last_tick FROM {workflows.workflows} ORDER BY workflow";

    public const string Groups = "SELECT feature_group, version, description, written_by FROM {feature_store.feature_groups} ORDER BY feature_group, version";

    public const string Models = "SELECT m.model, m.task, a.version AS champion, a.changed_at FROM {model_registry.models} m LEFT JOIN {model_registry.aliases} a ON a.model = m.model AND a.alias = 'champion' ORDER BY m.model";

    public const string Backfills = "SELECT backfill_id, workflow, window_from, window_to, requested_by, requested_at FROM {workflows.backfills} ORDER BY backfill_id DESC";

    public static string RunsOf(string workflow) =>
        $"SELECT {{top:50}}run_id, state, window_from, window_to, triggered_by, requested_by, started_at, finished_at, error FROM {{workflows.runs}} WHERE workflow = {Text(workflow)} ORDER BY run_id DESC{{top_end:50}}";

    public static string StepsOf(long runId) =>
        $"SELECT step, partition, state, attempt, started_at, finished_at, rows_read, rows_written, host, reason, error FROM {{workflows.stage_runs}} WHERE run_id = {Number(runId)} ORDER BY ordinal, step, partition";

    public static string WindowsOf(long backfillId) =>
        $"SELECT run_id, window_from, window_to, state, started_at, finished_at, error FROM {{workflows.runs}} WHERE backfill_id = {Number(backfillId)} ORDER BY run_id";

    public static string CommitsOf(string group, int version) =>
        $"SELECT {{top:60}}commit_id, kind, window_from, window_to, published_seq, published_at, rows, rows_computed, rows_quarantined, run_id FROM {{feature_store.commits}} WHERE feature_group = {Text(group)} AND version = {Number(version)} AND published_seq IS NOT NULL ORDER BY published_seq DESC{{top_end:60}}";

    public static string VersionsOf(string model) =>
        $"SELECT version, primary_metric, primary_value, baseline_value, cut_off, training_rows, promotion, run_id FROM {{model_registry.versions}} WHERE model = {Text(model)} ORDER BY version DESC";

    public static string RowsOf(string group, int version) => $"SELECT {{top:50}}* FROM {{feature_store.{group}_v{Number(version)}}}{{top_end:50}}";

    public static string PredictionsBy(string model) =>
        $"SELECT {{top:50}}prediction_id, version, entity_key, event_time, probability, label, output FROM {{prediction_log.predictions}} WHERE model = {Text(model)}{{top_end:50}}";

    public static string Prediction(long id) => $"SELECT * FROM {{prediction_log.predictions_all}} WHERE prediction_id = {Number(id)}";

    /// <summary>A query of these in the words of the engine.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static string Render(StoreDatabase database, string template) => database.SqlText(template);

    /// <summary>Predictions beside what became of them.</summary>
    public static string Scored(StoreDatabase database) =>
        database.Sql("SELECT {top:10}event_time, entity_key, probability, actual FROM {prediction_log.scored}{top_end:10}");

    /// <summary>The name of the view that shows the current rows of a feature group.</summary>
    public static string ViewOf(StoreDatabase database, string featureGroup, int version) => database.Sql($"{{feature_store.{featureGroup}_v{version}}}");

    /// <summary>A text that may hold anything; braces would be taken for a placeholder.</summary>
    private static string Text(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal).Replace('{', '_').Replace('}', '_')}'";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
