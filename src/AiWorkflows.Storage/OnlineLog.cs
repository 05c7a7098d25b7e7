using System.Collections.Concurrent;
using System.Globalization;
using AiWorkflows.Inference;
using Dapper;

namespace AiWorkflows.Storage;

/// <summary>The part of the prediction log that online inference writes.</summary>
internal class OnlineLog(StoreDatabase database) : IOnlineLog
{
    /// <summary>Of one INSERT, each of which is a round trip. SQL Server takes at most 2,100 parameters in a statement.</summary>
    private const int RowsPerStatement = 100;

    private static readonly ConcurrentDictionary<int, string> Inserts = [];

    public bool IsAway => database.IsAway;

    public Task<long> OpenAsync(OnlineBatch batch, CancellationToken ct) => database.WriteAsync(async tx => await tx.ScalarAsync<long>("""
        INSERT INTO {prediction_log.batches} (pipeline, role, model, version, feature_view, view_version, window_from, window_to, as_of_seq, predicted_at, state, code_version)
        {inserted:batch_id}
        SELECT @Pipeline, @Role, @Model, @Version, @View, @ViewVersion, {now}, {now}, c.seq, {now}, 'online', @CodeVersion
        FROM {feature_store.publication_clock} c
        {returning:batch_id}
        """, batch), ct);

    public async Task<IReadOnlyList<Logged>> AppendAsync(IReadOnlyList<LogEntry> requests, CancellationToken ct)
    {
        try
        {
            return await TryAppendAsync(requests, isSecond: false, ct);
        }
        catch (CommitUnknownException)
        {
            // All of it was committed or nothing; the second try sees which.
            return await TryAppendAsync(requests, isSecond: true, ct);
        }
    }

    public async Task<IReadOnlyList<AnsweredRow>> AnsweredAsync(string requestId, CancellationToken ct) =>
        [.. (await database.ReadAsync<StoredAnswer>("""
            SELECT r.batch_id, r.ordinal, b.model, b.version, r.entity_key, r.event_time, r.score, r.probability, r.label, r.output, r.missing
            FROM {prediction_log.online_rows} r JOIN {prediction_log.batches} b ON b.batch_id = r.batch_id
            WHERE r.request_id = @RequestId ORDER BY r.item
            """, new { RequestId = requestId }, ct)).Select(r => r.ToAnswer())];

    /// <summary>As <see cref="AppendAsync"/>.</summary>
    /// <param name="isSecond">Whether nobody knows if the first try has committed.</param>
    protected virtual Task<IReadOnlyList<Logged>> TryAppendAsync(IReadOnlyList<LogEntry> requests, bool isSecond, CancellationToken ct) => database.WriteAsync<IReadOnlyList<Logged>>(async tx =>
    {
        var ids = requests.Select(r => r.Rows[0].RequestId).OfType<string>().Distinct().ToArray();
        var owners = ids.Length == 0 ? [] : (await tx.ReadAsync<FirstRow>(
            "SELECT request_id, batch_id, ordinal FROM {prediction_log.online_rows} WHERE request_id IN @Ids AND item = 0", new { Ids = ids }))
            .ToDictionary(r => r.RequestId, r => (r.BatchId << 32) + r.Ordinal, StringComparer.Ordinal);
        if (isSecond && await WrittenAsync(tx, requests) is var written && written.Contains(true))
            return [.. written.Select((w, i) => w ? Logged.Written : requests[i].Rows[0].RequestId is { } id && owners.ContainsKey(id) ? Logged.Repeated : Logged.Outdated)];
        var seq = requests.Any(r => r.IsAssumed) ? await tx.ScalarAsync<long>("SELECT seq FROM {feature_store.publication_clock}") : 0;
        var logged = new Logged[requests.Count];
        for (var i = 0; i < logged.Length; i++)
        {
            var first = requests[i].Rows[0];
            logged[i] = first.RequestId is { } known && owners.ContainsKey(known) ? Logged.Repeated : requests[i].IsAssumed && first.AsOfSeq != seq ? Logged.Outdated : Logged.Written;
            // The first of two equal requests in one group owns the id as well.
            if (logged[i] == Logged.Written && first.RequestId is { } id)
                owners.Add(id, first.PredictionId);
        }
        await InsertAsync(tx, [.. requests.Where((_, i) => logged[i] == Logged.Written).SelectMany(r => r.Rows)]);
        return logged;
    }, ct);

    private static async Task<bool[]> WrittenAsync(WriteTransaction tx, IReadOnlyList<LogEntry> requests)
    {
        var written = new bool[requests.Count];
        for (var i = 0; i < written.Length; i++)
            written[i] = await tx.ScalarAsync<long>(
                "SELECT COUNT(*) FROM {prediction_log.online_rows} WHERE batch_id = @BatchId AND ordinal = @Ordinal", new { requests[i].Rows[0].BatchId, requests[i].Rows[0].Ordinal }) > 0;
        return written;
    }

    internal static async Task InsertAsync(WriteTransaction tx, IReadOnlyList<OnlineRow> rows)
    {
        foreach (var chunk in rows.Chunk(RowsPerStatement))
            await tx.ExecuteAsync(Insert(chunk.Length), Parameters(chunk));
    }

    /// <summary>An INSERT of so many rows, whose parameters are numbered.</summary>
    private static string Insert(int rows) => Inserts.GetOrAdd(rows, static count => $$"""
        INSERT INTO {prediction_log.online_rows} (batch_id, ordinal, request_id, item, answers, entity_key, event_time, predicted_at, as_of_seq, score, probability, label, output, inputs, features, missing, feature_hash)
        VALUES {{string.Join(",\n    ", Enumerable.Range(0, count).Select(i =>
            $"(@batch{i}, @ordinal{i}, @request{i}, @item{i}, @answers{i}, @key{i}, @time{i}, @predicted{i}, @seq{i}, @score{i}, @probability{i}, @label{i}, @output{i}, @inputs{i}, @features{i}, @missing{i}, @hash{i})"))}}
        """);

    private static DynamicParameters Parameters(OnlineRow[] rows)
    {
        var parameters = new DynamicParameters();
        for (var i = 0; i < rows.Length; i++)
        {
            var (row, n) = (rows[i], i.ToString(CultureInfo.InvariantCulture));
            parameters.Add("batch" + n, row.BatchId);
            parameters.Add("ordinal" + n, row.Ordinal);
            parameters.Add("request" + n, row.RequestId);
            parameters.Add("item" + n, row.Item);
            parameters.Add("answers" + n, row.Answers);
            parameters.Add("key" + n, row.EntityKey);
            parameters.Add("time" + n, (Utc)row.EventTime);
            parameters.Add("predicted" + n, (Utc)row.PredictedAt);
            parameters.Add("seq" + n, row.AsOfSeq);
            parameters.Add("score" + n, row.Scored.Score);
            parameters.Add("probability" + n, row.Scored.Probability);
            parameters.Add("label" + n, row.Scored.Label);
            parameters.Add("output" + n, row.Scored.Output);
            parameters.Add("inputs" + n, row.Inputs);
            parameters.Add("features" + n, row.Scored.Features);
            parameters.Add("missing" + n, row.Missing);
            parameters.Add("hash" + n, row.Scored.FeatureHash);
        }
        return parameters;
    }

    private sealed class FirstRow
    {
        public string RequestId { get; set; } = "";

        public long BatchId { get; set; }

        public int Ordinal { get; set; }
    }

    private sealed class StoredAnswer
    {
        public long BatchId { get; set; }

        public int Ordinal { get; set; }

        public string Model { get; set; } = "";

        public int Version { get; set; }

        public string EntityKey { get; set; } = "";

        public Utc EventTime { get; set; }

        public double? Score { get; set; }

        public double? Probability { get; set; }

        public string? Label { get; set; }

        public string Output { get; set; } = "";

        public string Missing { get; set; } = "";

        public AnsweredRow ToAnswer() => new((BatchId << 32) + Ordinal, Model, Version, EntityKey, EventTime, Score, Probability, Label, Output, Missing);
    }
}
