using System.Globalization;
using System.Text.Json;

namespace AiWorkflows.Tests.Flights;

[Collection(FlightDelaysCollection.Name)]
public sealed class EndToEndTests(FlightDelaysRun run)
{
    [Fact]
    public void The_first_run_ends_with_a_summary_within_its_limits()
    {
        run.Result.Output.ShouldSatisfyAllConditions(
            o => o.ShouldContain("flight-delay v1 (champion)"),
            o => o.ShouldContain("route and hour"),
            o => o.ShouldContain("AUC"),
            o => o.ShouldContain("127,189 predictions"),
            o => o.ShouldContain("Where to look next"));
        run.Result.PeakBytes.ShouldBeLessThan(1536L << 20);
        TestContext.Current.TestOutputHelper?.WriteLine($"{run.Result.Duration.TotalSeconds:F1} s, peak {run.Result.PeakBytes >> 20} MB");
    }

    [Fact]
    public async Task A_second_run_finds_nothing_to_do_and_changes_nothing()
    {
        var before = RowCounts();
        var again = await run.CommandAsync("run", "flight-delays");
        again.ExitCode.ShouldBe(0, again.Error);
        again.Output.ShouldContain("Nothing to do");
        RowCounts().ShouldBe(before);
    }

    [Fact]
    public void Every_flight_of_June_is_predicted_once_and_the_absurd_ones_are_quarantined()
    {
        One<long>("SELECT COUNT(*) FROM prediction_log_predictions").ShouldBe(One<long>("SELECT COUNT(*) FROM feature_store_scheduled_flights_v1 WHERE predict_at >= '2001-06-01'"));
        One<long>("SELECT COUNT(*) - COUNT(DISTINCT entity_key) FROM prediction_log_predictions").ShouldBe(0);
        One<long>("SELECT COUNT(*) FROM feature_store_scheduled_flights_v1").ShouldBe(746_452);
        One<long>("SELECT COUNT(*) FROM feature_store_flight_outcomes_v1").ShouldBe(746_449);
        One<long>("SELECT COUNT(*) FROM feature_store_flight_events_v1").ShouldBe(746_452 + 746_449);
        run.Query("SELECT reason FROM feature_store_quarantine ORDER BY reason", r => r.GetString(0)).ShouldBe(["found -212", "found -212", "found -953", "found -953", "found 1575", "found 1575"], "as outcome and as event");
    }

    [Fact]
    public void The_model_beats_route_and_hour_out_of_time()
    {
        var scored = run.Query("SELECT probability, actual FROM prediction_log_scored WHERE hindsight = 0", r => (Score: r.GetDouble(0), Late: r.GetDouble(1) == 1)).ToArray();
        scored.Length.ShouldBeGreaterThan(126_000);
        scored.Average(s => s.Late ? 1.0 : 0.0).ShouldBeInRange(0.2, 0.3);
        var auc = Auc(scored);
        auc.ShouldBeGreaterThan(0.76);

        var rates = RouteAndHour().ToArray();
        rates.Length.ShouldBe(scored.Length);
        var baseline = Auc(rates);
        baseline.ShouldBeInRange(0.65, 0.75);
        auc.ShouldBeGreaterThan(baseline + 0.04);
        TestContext.Current.TestOutputHelper?.WriteLine($"AUC {auc:F4}, route and hour {baseline:F4}");
    }

    [Fact]
    public async Task One_query_walks_from_a_prediction_to_code_and_explain_says_the_same()
    {
        var id = One<long>("SELECT MIN(prediction_id) + 4711 FROM prediction_log_predictions");
        var walk = run.Query("""
            SELECT p.model, p.version, d.content_hash, c.commit_id, c.feature_group, c.run_id, c.code_version, r.code_version, v.code_version, b.code_version
            FROM prediction_log_predictions p
            JOIN prediction_log_batches b ON b.batch_id = p.batch_id
            JOIN model_registry_versions v ON v.model = p.model AND v.version = p.version
            JOIN feature_store_training_datasets d ON d.dataset_id = v.dataset_id
            JOIN feature_store_dataset_commits dc ON dc.dataset_id = d.dataset_id
            JOIN feature_store_commits c ON c.commit_id = dc.commit_id
            JOIN workflows_runs r ON r.run_id = c.run_id
            WHERE p.prediction_id = $id
            ORDER BY c.commit_id
            """,
            r => (Model: r.GetString(0), Version: r.GetInt64(1), Dataset: r.GetString(2), Commit: r.GetInt64(3), Group: r.GetString(4), Run: r.GetInt64(5), Code: Enumerable.Range(6, 4).Select(r.GetString).ToArray()),
            ("$id", id)).ToArray();
        walk.Select(w => w.Group).Distinct().Order().ShouldBe(["airport_pulse", "departures", "flight_outcomes", "route_day", "route_hour", "scheduled_flights"]);
        walk.SelectMany(w => w.Code).Distinct().ShouldHaveSingleItem();

        var result = await run.CommandAsync("predictions", "explain", id.ToString(CultureInfo.InvariantCulture), "--json");
        result.ExitCode.ShouldBe(0, result.Error);
        using var json = JsonDocument.Parse(result.Output);
        var prediction = json.RootElement.GetProperty("prediction");
        prediction.GetProperty("model").GetString().ShouldBe(walk[0].Model);
        prediction.GetProperty("version").GetInt64().ShouldBe(walk[0].Version);
        json.RootElement.GetProperty("example").GetProperty("features").GetArrayLength().ShouldBe(22);
        result.Output.ShouldContain(walk[0].Dataset);
        foreach (var (group, commit) in walk.Select(w => (w.Group, w.Commit)))
            result.Output.ShouldContain(group, customMessage: $"commit {commit}");
    }

    [Fact]
    public async Task The_model_can_be_reproduced_to_the_bit()
    {
        var result = await run.CommandAsync("models", "reproduce", "flight-delay", "1");
        result.ExitCode.ShouldBe(0, result.Error);
        result.Output.ShouldContain("identical");
        result.Output.ShouldContain(One<string>("SELECT content_sha256 FROM model_registry_versions"));
    }

    [Fact]
    public async Task Features_models_and_runs_can_be_looked_at_from_the_command_line()
    {
        foreach (var command in new[] { "workflows list", "workflows show flight-delays", "runs list", "runs show 2", "features list", "features show departures", "features stats departures", "models list", "models show flight-delay 1", "predictions list", "doctor" })
        {
            var result = await run.CommandAsync(command.Split(' '));
            result.ExitCode.ShouldBe(0, $"{command}: {result.Error}");
            result.Output.ShouldNotBeEmpty(command);
        }
    }

    /// <summary>The baseline, in one walk through time: the latest late rate of the flight's route and hour, the overall rate where there is none.</summary>
    private IEnumerable<(double Score, bool Late)> RouteAndHour()
    {
        var latest = new Dictionary<string, double>();
        return run.Query("""
            SELECT at, 0, "from" || "to" || hour, late90d FROM feature_store_route_hour_v1_rows
            UNION ALL
            SELECT f.predict_at, 1, f.origin || f.destination || f.hour, o.actual
            FROM feature_store_scheduled_flights_v1_rows f JOIN prediction_log_outcomes o ON o.entity_key = '[' || f.flight_id || ']' AND o.event_time = f.predict_at
            ORDER BY 1, 2
            """, r => (Flight: r.GetInt64(1) == 1, Key: r.GetString(2), Value: r.IsDBNull(3) ? double.NaN : r.GetDouble(3)))
            .SelectMany(row =>
            {
                if (row.Flight)
                    return [(latest.TryGetValue(row.Key, out var rate) && !double.IsNaN(rate) ? rate : 0.2, row.Value == 1)];
                latest[row.Key] = row.Value;
                return Array.Empty<(double, bool)>();
            });
    }

    private T One<T>(string sql) => run.Query(sql, r => r.GetFieldValue<T>(0)).Single();

    private string[] RowCounts()
    {
        var tables = run.Query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('workflows_hosts', 'sqlite_sequence') ORDER BY name", r => r.GetString(0)).ToArray();
        return [.. tables.Select(t => $"{t}: {One<long>($"SELECT COUNT(*) FROM \"{t}\"")}")];
    }

    /// <summary>Probability that a late flight has the higher score than one in time: by ranks, ties counted half.</summary>
    private static double Auc((double Score, bool Late)[] rows)
    {
        var sorted = rows.OrderBy(r => r.Score).ToArray();
        var (ranks, late) = (0.0, 0L);
        for (var i = 0; i < sorted.Length;)
        {
            var j = i;
            while (j < sorted.Length && sorted[j].Score == sorted[i].Score)
                j++;
            var lateHere = sorted[i..j].Count(r => r.Late);
            ranks += lateHere * (i + 1 + j) / 2.0;
            late += lateHere;
            i = j;
        }
        return (ranks - late * (late + 1) / 2.0) / ((double)late * (sorted.Length - late));
    }
}
