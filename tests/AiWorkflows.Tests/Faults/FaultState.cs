using System.Globalization;
using AiWorkflows.Storage;
using AiWorkflows.Tests.Compliance.Simulation;

namespace AiWorkflows.Tests.Faults;

/// <summary>What a database of fault hosts holds, and what its ledger must not show.</summary>
internal static class FaultState
{
    /// <summary>Everything that a user can see, without numbers and times of day that differ between any two runs.</summary>
    private static readonly (string Name, string Rows)[] Parts =
    [
        ("pulses", "SELECT at, meter, value FROM {feature_store.pulses_v1}"),
        ("sums", "SELECT at, meter, sum6h FROM {feature_store.sums_v1}"),
        ("peaks", "SELECT at, meter, highest FROM {feature_store.peaks_v1}"),
        ("lows", "SELECT at, meter, value FROM {feature_store.lows_v1}"),
        ("spreads", "SELECT at, meter, value FROM {feature_store.spreads_v1}"),
        ("alarms", "SELECT at, meter, rang FROM {feature_store.alarms_v1}"),
        ("stored rows", """
            SELECT 'pulses', COUNT(*) FROM {feature_store.pulses_v1_rows} UNION ALL SELECT 'sums', COUNT(*) FROM {feature_store.sums_v1_rows}
            UNION ALL SELECT 'peaks', COUNT(*) FROM {feature_store.peaks_v1_rows} UNION ALL SELECT 'spreads', COUNT(*) FROM {feature_store.spreads_v1_rows}
            UNION ALL SELECT 'lows', COUNT(*) FROM {feature_store.lows_v1_rows} UNION ALL SELECT 'alarms', COUNT(*) FROM {feature_store.alarms_v1_rows} UNION ALL SELECT 'predictions', COUNT(*) FROM {prediction_log.prediction_rows}
            """),
        ("commits", "SELECT feature_group, window_from, window_to, kind, rows, tombstones FROM {feature_store.commits} WHERE state = 'published'"),
        ("datasets", "SELECT content_hash, rows, window_from, window_to FROM {feature_store.training_datasets}"),
        ("versions", "SELECT model, version, content_sha256, metrics, cut_off FROM {model_registry.versions}"),
        ("aliases", "SELECT model, alias, version FROM {model_registry.aliases}"),
        ("predictions", "SELECT entity_key, event_time, model, version, score, probability, output FROM {prediction_log.predictions}"),
        ("outcomes", "SELECT feature_view, entity_key, event_time, actual, actual_at FROM {prediction_log.outcomes}"),
        ("coverage", "SELECT pipeline, window_from, window_to FROM {workflows.coverage}"),
        ("watermarks", "SELECT pipeline, input, event_time FROM {workflows.watermarks}"),
        ("runs", "SELECT workflow, window_from, window_to, state FROM {workflows.runs}"),
        ("steps", "SELECT r.window_from, s.step, s.partition, s.state FROM {workflows.stage_runs} s JOIN {workflows.runs} r ON r.run_id = s.run_id"),
    ];

    public static async Task<IReadOnlyDictionary<string, string[]>> ReadAsync(FaultSite site) => await site.ReadAsync(async database =>
    {
        var state = new Dictionary<string, string[]>();
        foreach (var (name, sql) in Parts)
        {
            var rows = new List<string>();
            await using var result = await database.QueryAsync(database.Sql(sql), default);
            await foreach (var row in result.RowsAsync(default))
                rows.Add(string.Join("|", row.Select(cell => Convert.ToString(cell, CultureInfo.InvariantCulture))));
            rows.Sort(StringComparer.Ordinal);
            state[name] = [.. rows];
        }
        return (IReadOnlyDictionary<string, string[]>)state;
    });

    /// <summary>Row by row; a message names the part and the first rows that differ.</summary>
    public static void ShouldEqual(this IReadOnlyDictionary<string, string[]> actual, IReadOnlyDictionary<string, string[]> undisturbed, string world)
    {
        var differences = undisturbed.Where(part => !part.Value.SequenceEqual(actual[part.Key])).Select(part =>
            $"{part.Key}: {part.Value.Length} rows undisturbed, {actual[part.Key].Length} here; "
            + $"missing: {string.Join(" ; ", part.Value.Except(actual[part.Key]).Take(3))}; too many: {string.Join(" ; ", actual[part.Key].Except(part.Value).Take(3))}").ToArray();
        differences.ShouldBeEmpty($"{world}: the end differs from that of an undisturbed run");
        undisturbed.Where(part => part.Value.Length == 0).Select(part => part.Key).ShouldBeEmpty("what is empty proves nothing");
    }

    /// <summary>The invariants that the ledger shows, all of them; at rest also those that recovery owes.</summary>
    public static Task CheckLedgerAsync(FaultSite site, bool atRest, string world) => site.ReadAsync(async database =>
    {
        (await database.ReadAsync<string>(LedgerInvariants.Broken(cap: 16), null, default)).ShouldBeEmpty(world);
        if (!atRest)
            return true;
        (await database.ReadAsync<string>(LedgerInvariants.NotAtRest, null, default)).ShouldBeEmpty(world);
        foreach (var group in await database.ReadAsync<string>("SELECT feature_group FROM {feature_store.feature_groups}", null, default))
            (await database.ReadFirstAsync<long>($$"""
                SELECT COUNT(*) FROM {feature_store.{{group}}_v1_rows} WHERE commit_id NOT IN (SELECT commit_id FROM {feature_store.commits} WHERE state = 'published')
                """, null, default)).ShouldBe(0, $"{world}: I10 rows of {group} belong to no published commit");
        await CheckWatermarksAsync(database, world);
        return true;
    });

    /// <summary>I11, by going from window to window.</summary>
    private static async Task CheckWatermarksAsync(StoreDatabase database, string world)
    {
        foreach (var mark in await database.ReadAsync<Mark>("SELECT pipeline, event_time FROM {workflows.watermarks} WHERE input = ''", null, default))
        {
            var windows = await database.ReadAsync<Covered>("SELECT DISTINCT window_from, window_to FROM {workflows.coverage} WHERE pipeline = @Pipeline", new { mark.Pipeline }, default);
            var end = windows.Min(w => w.WindowFrom.Value);
            while (windows.Where(w => w.WindowFrom.Value <= end && w.WindowTo.Value > end).Select(w => (DateTime?)w.WindowTo.Value).Max() is { } further)
                end = further;
            mark.EventTime.Value.ShouldBe(end, $"{world}: I11 watermark of {mark.Pipeline}");
        }
    }

    private sealed class Mark
    {
        public string Pipeline { get; set; } = "";

        public Utc EventTime { get; set; }
    }

    private sealed class Covered
    {
        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }
    }
}
