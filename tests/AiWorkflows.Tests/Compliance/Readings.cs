using AiWorkflows.Features;
using AiWorkflows.Storage;

namespace AiWorkflows.Tests.Compliance;

/// <summary>A group with one column of every shape.</summary>
[FeatureGroup("readings", Online = true)]
internal sealed record Reading([property: EntityKey] string Sensor, [property: EntityKey] int Channel, [property: EventTime] DateTime At, double Value, int? Count, string? Note, Guid? Tag, DateOnly? Day);

/// <summary>A stored version of a row, as a cursor shows it.</summary>
internal sealed record Version(long CommitId, bool Deleted, DateTime At, string Sensor, long Channel, double? Value, long? Count, string? Note, Guid? Tag, long? Day);

internal static class Readings
{
    public static readonly GroupSchema Group = GroupSchema.Of(typeof(Reading));

    public static readonly DateTime Start = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public static readonly Window Day = new(Start, Start.AddDays(1));

    public static DateTime At(double hours) => Start.AddHours(hours);

    public static Reading Row(string sensor, double hour, double value) => new(sensor, 1, At(hour), value, null, null, null, null);

    public static CommitRequest Commit(AttemptRef attempt, Window window, CommitKind kind = CommitKind.Replace) => new(Group, kind, window, attempt, "code");

    public static Task RegisterAsync(IFeatureStore store) => store.RegisterAsync([new(Group, "readings")], [], default);

    public static CommitSeal Seal(ICommitWriter writer, Window window, long rows, long tombstones = 0, long quarantined = 0, IReadOnlyList<FeatureInput>? inputs = null) => new(
        writer.CommitId, Group, window, writer.BaseSeq, rows, tombstones, rows, rows, quarantined, rows + tombstones == 0 ? null : window.From, rows + tombstones == 0 ? null : window.To.AddHours(-1),
        "{}", "[]", inputs ?? [], rows == 0 ? [] : [window.From.Date]);

    /// <summary>Writes and publishes rows in a run of their own; returns the sequence.</summary>
    public static async Task<long> PublishAsync(TestStore store, Window window, params Reading[] rows) => await PublishAsync(store, window, rows, []);

    public static async Task<long> PublishAsync(TestStore store, Window window, IReadOnlyList<Reading> rows, IReadOnlyList<Reading> deleted)
    {
        var attempt = await store.AttemptAsync(window);
        await using var writer = await store.Features.OpenCommitAsync(Commit(attempt, window), default);
        await writer.WriteAsync(new Batch(rows, deleted), default);
        var result = await store.Ledger.WinAsync(new(attempt) { Commit = Seal(writer, window, rows.Count, deleted.Count) }, default);
        result.Outcome.ShouldBe(AiWorkflows.Workflows.PublishOutcome.Published);
        return result.Seq;
    }

    public static List<Version> Read(IRowCursor cursor)
    {
        using (cursor)
        {
            var rows = new List<Version>();
            while (cursor.Read())
                rows.Add(new(cursor.CommitId, cursor.IsDeleted, Timestamps.FromMicros(cursor.Integer(0)), cursor.Text(1), cursor.Integer(2),
                    cursor.IsNull(3) ? null : cursor.Real(3), cursor.IsNull(4) ? null : cursor.Integer(4), cursor.IsNull(5) ? null : cursor.Text(5),
                    cursor.IsNull(6) ? null : new Guid(cursor.Blob(6), bigEndian: true), cursor.IsNull(7) ? null : cursor.Integer(7)));
            return rows;
        }
    }

    /// <summary>What a read as of a sequence sees: the reader's rule in its plainest form.</summary>
    public static async Task<List<(string Sensor, DateTime At, double? Value)>> AsOfAsync(IFeatureStore store, long seq, Window window)
    {
        var visible = (await store.CommitsAsync(Group, seq, window, default)).ToDictionary(c => c.CommitId, c => c.PublishedSeq);
        return [.. Read(store.Scan(Group, Group.Columns, window)).Where(v => visible.ContainsKey(v.CommitId)).GroupBy(v => (v.At, v.Sensor, v.Channel))
            .Select(g => g.MaxBy(v => visible[v.CommitId])!).Where(v => !v.Deleted).Select(v => (v.Sensor, v.At, v.Value))];
    }

    internal sealed class Batch(IReadOnlyList<Reading> rows, IReadOnlyList<Reading> deleted) : IRowBatch
    {
        public int Count => rows.Count + deleted.Count;

        public bool IsDeleted(int row) => row >= rows.Count;

        public void Bind(int row, ICellSink sink)
        {
            var r = IsDeleted(row) ? deleted[row - rows.Count] : rows[row];
            sink.Integer(0, Timestamps.ToMicros(r.At));
            sink.Text(1, r.Sensor);
            sink.Integer(2, r.Channel);
            if (IsDeleted(row))
            {
                for (var i = 3; i < 8; i++)
                    sink.Null(i);
                return;
            }
            sink.Real(3, r.Value);
            if (r.Count is { } count) sink.Integer(4, count); else sink.Null(4);
            if (r.Note is { } note) sink.Text(5, note); else sink.Null(5);
            if (r.Tag is { } tag) sink.Blob(6, tag.ToByteArray(bigEndian: true)); else sink.Null(6);
            if (r.Day is { } day) sink.Integer(7, day.DayNumber - new DateOnly(1970, 1, 1).DayNumber); else sink.Null(7);
        }
    }
}
