using Microsoft.Data.Sqlite;

namespace AiWorkflows.Tests.Flights;

/// <summary>Compares what two stores hold, row by row, leaving out numbers and times of day that differ between any two runs.</summary>
internal static class FlightDelaysState
{
    private static readonly (string Name, string Rows)[] Parts =
    [
        ("scheduled_flights", "SELECT predict_at, flight_id, origin, destination, hour, distance FROM {0}.feature_store_scheduled_flights_v1"),
        ("flight_outcomes", "SELECT landed_at, flight_id, origin, destination, hour, delay FROM {0}.feature_store_flight_outcomes_v1"),
        ("departures", "SELECT at, airport, landed1h, delay1h, delay3h, late3h FROM {0}.feature_store_departures_v1"),
        ("flight_events", "SELECT at, airport, flight_id, move, delay FROM {0}.feature_store_flight_events_v1"),
        ("airport_pulse", "SELECT at, airport, departed1h, landed1h, delay1h, late1h, delay3h, late3h FROM {0}.feature_store_airport_pulse_v1"),
        ("route_hour", "SELECT at, \"from\", \"to\", hour, late90d FROM {0}.feature_store_route_hour_v1"),
        ("route_day", "SELECT at, \"from\", \"to\", delay1d FROM {0}.feature_store_route_day_v1"),
        ("model", "SELECT model, version, content_sha256, metrics, cut_off FROM {0}.model_registry_versions"),
        ("champion", "SELECT model, alias, version FROM {0}.model_registry_aliases"),
        ("dataset", "SELECT content_hash, rows FROM {0}.feature_store_training_datasets"),
        ("predictions", "SELECT entity_key, event_time, model, version, score, probability, output, hindsight FROM {0}.prediction_log_predictions"),
        ("outcomes", "SELECT feature_view, entity_key, event_time, actual, actual_at FROM {0}.prediction_log_outcomes"),
        ("quarantine", "SELECT row_json, rule_name FROM {0}.feature_store_quarantine q JOIN {0}.feature_store_commits c USING (commit_id) WHERE c.state = 'published'"),
        ("watermarks", "SELECT pipeline, input, event_time FROM {0}.workflows_watermarks"),
        ("coverage", "SELECT pipeline, MIN(window_from), MAX(window_to) FROM {0}.workflows_coverage GROUP BY pipeline"),
    ];

    /// <summary>The names of the parts that differ, with the numbers of rows.</summary>
    public static IReadOnlyList<string> Differences(string left, string right)
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        Execute(connection, "ATTACH $file AS a", left);
        Execute(connection, "ATTACH $file AS b", right);
        var differences = new List<string>();
        foreach (var (name, rows) in Parts)
        {
            var (a, b) = (string.Format(System.Globalization.CultureInfo.InvariantCulture, rows, "a"), string.Format(System.Globalization.CultureInfo.InvariantCulture, rows, "b"));
            var (inA, inB) = (Count(connection, a), Count(connection, b));
            var onlyInA = Count(connection, $"{a} EXCEPT {b}");
            if (inA != inB || onlyInA > 0)
                differences.Add($"{name}: {inA} and {inB} rows, {onlyInA} only in the first");
            else if (inA == 0)
                differences.Add($"{name}: empty on both sides");
        }
        return differences;
    }

    /// <summary>How many attempts ended without a word.</summary>
    public static long LostAttempts(string file)
    {
        using var connection = new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False");
        connection.Open();
        return Count(connection, "SELECT 1 FROM workflows_stage_runs WHERE lost > 0");
    }

    private static long Count(SqliteConnection connection, string rows)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT COUNT(*) FROM ({rows})";
        return (long)command.ExecuteScalar()!;
    }

    private static void Execute(SqliteConnection connection, string sql, string file)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("$file", file);
        command.ExecuteNonQuery();
    }
}
