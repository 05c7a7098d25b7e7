using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AiWorkflows.Storage;

namespace AiWorkflows.Tests.Flights;

/// <summary>What a store holds of the reference application, in a form that two engines can be compared by: per part the number of rows and a sum of their hashes, whatever their order.</summary>
internal static class EngineState
{
    private static readonly (string Name, string Rows)[] Parts =
    [
        ("scheduled_flights", "SELECT predict_at, flight_id, origin, destination, hour, distance FROM {feature_store.scheduled_flights_v1}"),
        ("flight_outcomes", "SELECT landed_at, flight_id, origin, destination, hour, delay FROM {feature_store.flight_outcomes_v1}"),
        ("departures", "SELECT at, airport, landed1h, delay1h, delay3h, late3h FROM {feature_store.departures_v1}"),
        ("flight_events", "SELECT at, airport, flight_id, move, delay FROM {feature_store.flight_events_v1}"),
        ("airport_pulse", "SELECT at, airport, departed1h, landed1h, delay1h, late1h, delay3h, late3h FROM {feature_store.airport_pulse_v1}"),
        ("route_hour", "SELECT at, \"from\", \"to\", hour, late90d FROM {feature_store.route_hour_v1}"),
        ("route_day", "SELECT at, \"from\", \"to\", delay1d FROM {feature_store.route_day_v1}"),
        ("dataset", "SELECT content_hash, rows FROM {feature_store.training_datasets}"),
        ("model", "SELECT model, version, content_sha256, metrics FROM {model_registry.versions}"),
        ("champion", "SELECT model, alias, version FROM {model_registry.aliases}"),
        ("scores", "SELECT entity_key, feature_hash, score, probability FROM {prediction_log.prediction_rows}"),
        ("predictions", "SELECT entity_key, event_time, model, version, score, probability, output FROM {prediction_log.predictions}"),
        ("outcomes", "SELECT entity_key, event_time, actual FROM {prediction_log.scored}"),
        ("quarantine", "SELECT q.row_json, q.rule_name FROM {feature_store.quarantine} q JOIN {feature_store.commits} c ON c.commit_id = q.commit_id WHERE c.state = 'published'"),
        ("commits", "SELECT feature_group, state, SUM(rows), SUM(new_rows), SUM(tombstones), SUM(rows_quarantined) FROM {feature_store.commits} WHERE state = 'published' GROUP BY feature_group, state"),
        ("watermarks", "SELECT w.pipeline, w.input, COUNT(*) FROM {workflows.watermarks} w JOIN {workflows.runs} r ON r.window_to = w.event_time GROUP BY w.pipeline, w.input"),
        ("coverage", "SELECT c.pipeline, r.run_id FROM {workflows.coverage} c JOIN {workflows.runs} r ON r.window_from = c.window_from AND r.window_to = c.window_to"),
    ];

    /// <summary>The names of the parts that differ, with the numbers of rows.</summary>
    public static async Task<IReadOnlyList<string>> DifferencesAsync(StoreDatabase left, StoreDatabase right)
    {
        var differences = new List<string>();
        foreach (var (name, rows) in Parts)
        {
            var (a, b) = (await DigestAsync(left, rows), await DigestAsync(right, rows));
            if (a != b)
                differences.Add($"{name}: {a.Rows} and {b.Rows} rows, {(a.Rows == b.Rows ? "not the same ones" : "too few or too many")}");
            else if (a.Rows == 0)
                differences.Add($"{name}: empty on both sides");
        }
        return differences;
    }

    private static async Task<(long Rows, UInt128 Sum)> DigestAsync(StoreDatabase database, string rows)
    {
        var (count, sum) = (0L, UInt128.Zero);
        var hash = new byte[SHA256.HashSizeInBytes];
        await using var result = await database.QueryAsync(database.Sql(rows), TestContext.Current.CancellationToken);
        await foreach (var row in result.RowsAsync(TestContext.Current.CancellationToken))
        {
            SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\u001f', row.Select(Text))), hash);
            (count, sum) = (count + 1, unchecked(sum + new UInt128(BitConverter.ToUInt64(hash, 0), BitConverter.ToUInt64(hash, 8))));
        }
        return (count, sum);
    }

    /// <summary>SQLite has one type for all floating-point numbers, and integers where they are whole.</summary>
    private static string Text(object? cell) => cell switch
    {
        null => "\u0000",
        double number => ((double)(float)number == number || float.IsInfinity((float)number) ? ((float)number).ToString("R", CultureInfo.InvariantCulture) : number.ToString("R", CultureInfo.InvariantCulture)),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => cell.ToString()!,
    };
}
