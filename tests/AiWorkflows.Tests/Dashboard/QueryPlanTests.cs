using System.Data.Common;
using System.Text.RegularExpressions;
using AiWorkflows.Features;
using AiWorkflows.Hosting;
using AiWorkflows.Hosting.Dashboard;
using AiWorkflows.Hosting.Dashboard.Predictions;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Dashboard;

/// <summary>What the pages ask the store for: few statements, and none that goes through a table that grows with the work.</summary>
public sealed partial class QueryPlanTests
{
    private static readonly string[] Big =
    [
        "workflows_runs", "workflows_stage_runs", "workflows_stage_logs", "workflows_attempts", "workflows_run_edges", "workflows_audit", "feature_store_commits", "feature_store_commit_inputs", "feature_store_quarantine",
        "prediction_log_batches", "prediction_log_prediction_rows", "prediction_log_online_rows", "prediction_log_outcomes", "prediction_log_superseded", "prediction_log_metrics", "model_registry_alias_history",
    ];

    private static readonly Dictionary<string, Func<DashboardReader, Task>> Pages = new()
    {
        ["section bar"] = r => r.SectionBarAsync(),
        ["workflows"] = r => r.WorkflowsAsync(),
        ["runs"] = r => r.RunsAsync(new(), null),
        ["runs of a workflow"] = r => r.RunsAsync(new("flight-delays"), 1000),
        ["runs in a state"] = r => r.RunsAsync(new(State: "cancelled"), null),
        ["runs of a workflow in a state"] = r => r.RunsAsync(new("flight-delays", "running"), null),
        ["runs by a trigger"] = r => r.RunsAsync(new(Trigger: "sql"), null),
        ["run"] = r => r.RunAsync(41, DashboardLogFilter.Everything),
        ["two runs"] = r => r.CompareRunsAsync(41, 38),
        ["log"] = r => r.LogAfterAsync(41, 0, DashboardLogFilter.Everything),
        ["backfills"] = r => r.BackfillsAsync(null),
        ["backfill"] = r => r.BackfillAsync(1),
        ["feature groups"] = r => r.FeatureGroupsAsync(),
        ["feature group"] = r => r.FeatureGroupAsync("departures", null),
        ["feature group before"] = r => r.FeatureGroupAsync("departures", 9115),
        ["models"] = r => r.ModelsAsync(),
        ["model"] = r => r.ModelAsync("flight-delay", null),
        ["compare"] = r => r.CompareAsync("flight-delay", 11, 12),
        ["predictions"] = r => r.PredictionsAsync(new(), null),
        ["predictions in a time"] = r => r.PredictionsAsync(new(From: DashboardSeed.Clock.Date.AddHours(1), To: DashboardSeed.Clock.Date.AddHours(3)), (1L << 32) + 40),
        ["predictions about"] = r => r.PredictionsAsync(new(Key: "7"), null),
        ["predictions online"] = r => r.PredictionsAsync(new(Online: true), null),
        ["predictions online about"] = r => r.PredictionsAsync(new(Key: "online 3", Online: true), null),
        ["prediction"] = r => r.PredictionAsync((1L << 32) + 2),
        ["prediction online"] = r => r.PredictionAsync((2L << 32) + 2),
        ["hosts"] = r => r.HostsAsync(),
        ["search"] = r => r.SearchAsync("41"),
        ["search by name"] = r => r.SearchAsync("delay"),
    };

    public static TheoryData<string> Names => [.. Pages.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_page_asks_little_and_scans_nothing_that_grows(string page)
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock);
        await DashboardSeed.FillAsync(host);
        await host.Database.WriteAsync(async tx =>
        {
            await PredictionSeed.BatchAsync(tx, 1, DashboardSeed.Clock.Date, TimeSpan.FromDays(1), 300);
            await PredictionSeed.OnlineAsync(tx, 2, DashboardSeed.Clock.Date, 5);
            await tx.ExecuteAsync("INSERT INTO {workflows.backfills} (backfill_id, workflow, window_from, window_to, every, pin_seq, requested_by, requested_at) VALUES (1, 'flight-delays', 0, 1, 1, 1, 'ana', 0)");
        }, CancellationToken.None);
        await using var listening = new Listening(host.Database);
        await Pages[page](ReaderOn(listening, host.Services));
        // A search looks for an id in each kind of thing.
        listening.Statements.Count.ShouldBeInRange(1, page == "search" ? 12 : 9, string.Join("\n\n", listening.Statements));
        foreach (var statement in listening.Statements)
            (await ScansAsync(host.Database, statement)).ShouldBeEmpty(statement);
    }

    /// <summary>The lines of the plan that go through all of a big table.</summary>
    private static async Task<string[]> ScansAsync(StoreDatabase database, string statement)
    {
        var tables = Alias().Matches(statement).Select(m => (Table: m.Groups[1].Value, Alias: m.Groups[2].Success ? m.Groups[2].Value : m.Groups[1].Value)).Distinct().ToLookup(t => t.Alias, t => t.Table);
        await using var connection = await database.OpenReadAsync(CancellationToken.None);
        var plan = await connection.QueryAsync<(long, long, long, string Detail)>("EXPLAIN QUERY PLAN " + Parameter().Replace(List().Replace(statement, "IN (1, 2)"), "1"));
        return [.. plan.Select(line => line.Detail).Where(line => Scan().Match(line) is { Success: true } scan && tables[scan.Groups[1].Value].Any(Big.Contains))];
    }

    private static DashboardReader ReaderOn(StoreDatabase database, IServiceProvider services) => new(
        new(database), new(database), new(database), new(database), new(database), new(database), new(services.GetRequiredService<Catalog>(), services.GetRequiredService<IFeatureStore>(), new(database)),
        services.GetRequiredService<AiWorkflows.Hosting.StreamReports>(),
        services.GetRequiredService<ILedger>(), new(TimeProvider.System), services.GetRequiredService<Catalog>(), services.GetRequiredService<BusinessClock>(), services.GetRequiredService<IJobDispatcher>(), database);

    [GeneratedRegex(@"(?:FROM|JOIN)\s+([a-z]+_[a-z_]+)(?:\s+(?!WHERE|ON|JOIN|LEFT|ORDER|GROUP|UNION|CROSS)([a-z]+)\b)?")]
    private static partial Regex Alias();

    /// <summary>To go through an index is to go through all of a table, unless the index has only the few rows that are open.</summary>
    [GeneratedRegex(@"^SCAN (\S+)(?! USING (?:COVERING )?INDEX ix_(?:runs_open|runs_troubled|batches_online|stage_runs_lease))")]
    private static partial Regex Scan();

    [GeneratedRegex(@"IN @[A-Za-z]+")]
    private static partial Regex List();

    [GeneratedRegex(@"@[A-Za-z]+")]
    private static partial Regex Parameter();

    /// <summary>Notes what is asked for, and lets the real database answer.</summary>
    private sealed class Listening(StoreDatabase inner) : StoreDatabase
    {
        public List<string> Statements { get; } = [];

        public override string Engine => inner.Engine;

        public override string Location => inner.Location;

        public override string Sql(string template)
        {
            var sql = inner.Sql(template);
            Statements.Add(sql);
            return sql;
        }

        public override Task<DbConnection> OpenReadAsync(CancellationToken ct) => inner.OpenReadAsync(ct);

        public override Task<T> WriteAsync<T>(Func<WriteTransaction, Task<T>> work, CancellationToken ct, bool durable = true) => throw new NotSupportedException();

        public override Task<long> ChangeTokenAsync(CancellationToken ct) => throw new NotSupportedException();

        public override Task BackupAsync(string file, CancellationToken ct) => throw new NotSupportedException();

        public override Task<SqlResult> QueryAsync(string sql, CancellationToken ct) => throw new NotSupportedException();

        public override Task<IReadOnlyList<DatabaseCheck>> CheckAsync(CancellationToken ct) => throw new NotSupportedException();

        public override AiWorkflowsException? Explain(Exception error) => null;

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        protected override string Render(string name, string argument) => throw new NotSupportedException();
    }
}
