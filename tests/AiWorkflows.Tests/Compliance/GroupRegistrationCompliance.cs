using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>How the tables of a feature group follow its record, and when they refuse to.</summary>
public abstract class GroupRegistrationCompliance
{
    private protected abstract Task<TestStore> OpenAsync();

    [FeatureGroup("growing")]
    private sealed record Original([property: EntityKey] string Id, [property: EventTime] DateTime At, int Number, float Ratio);

    [FeatureGroup("growing", Online = true)]
    private sealed record Longer([property: EntityKey] string Id, [property: EventTime] DateTime At, float Ratio, int Number, string? Added);

    [FeatureGroup("growing")]
    private sealed record Shorter([property: EntityKey] string Id, [property: EventTime] DateTime At, int Number);

    [FeatureGroup("growing")]
    private sealed record Retyped([property: EntityKey] string Id, [property: EventTime] DateTime At, long Number, float Ratio);

    [FeatureGroup("growing")]
    private sealed record AddedNotNull([property: EntityKey] string Id, [property: EventTime] DateTime At, int Number, float Ratio, int Must);

    [FeatureGroup("growing")]
    private sealed record AddedKey([property: EntityKey] string Id, [property: EntityKey] string Second, [property: EventTime] DateTime At, int Number, float Ratio);

    [FeatureGroup("growing", Version = 2)]
    private sealed record NextVersion([property: EntityKey] string Id, [property: EventTime] DateTime At, long Number);

    [Fact]
    public async Task A_nullable_feature_is_added_to_the_rows_that_are_there_as_a_new_revision()
    {
        await using var store = await OpenAsync();
        await RegisterAsync<Original>(store);
        await WriteOneAsync(store, GroupSchema.Of(typeof(Original)), Readings.At(1));
        await RegisterAsync<Longer>(store);
        await WriteOneAsync(store, GroupSchema.Of(typeof(Longer)), Readings.At(2));
        var longer = GroupSchema.Of(typeof(Longer));
        using var cursor = store.Features.Scan(longer, longer.Columns, Readings.Day);
        cursor.Read().ShouldBeTrue();
        (cursor.Integer(3), cursor.IsNull(4)).ShouldBe((2, true));
        cursor.Read().ShouldBeTrue();
        (cursor.Integer(3), cursor.Text(4)).ShouldBe((3, "4"));
        (await store.CountAsync("SELECT MAX(revision) FROM {feature_store.group_schemas} WHERE feature_group = 'growing' AND ddl LIKE '%added%'")).ShouldBe(2);
        (await store.CountAsync("SELECT schema_revision FROM {feature_store.feature_groups} WHERE fingerprint = @Fingerprint AND online = 1", new { longer.Fingerprint })).ShouldBe(2);
    }

    [Fact]
    public async Task Registering_the_same_again_writes_nothing()
    {
        await using var store = await OpenAsync();
        await RegisterAsync<Original>(store);
        var before = await store.Ledger.ChangeTokenAsync(default);
        await RegisterAsync<Original>(store);
        (await store.Ledger.ChangeTokenAsync(default)).ShouldBe(before);
    }

    [Fact]
    public async Task Versions_live_side_by_side()
    {
        await using var store = await OpenAsync();
        await RegisterAsync<Original>(store);
        await RegisterAsync<NextVersion>(store);
        await WriteOneAsync(store, GroupSchema.Of(typeof(Original)), Readings.At(1));
        await WriteOneAsync(store, GroupSchema.Of(typeof(NextVersion)), Readings.At(2));
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.growing_v1}")).ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.growing_v2}")).ShouldBe(1);
    }

    [Fact]
    public async Task A_removed_column_is_refused() => await RefusedAsync<Shorter>("column 'ratio' was removed");

    [Fact]
    public async Task A_changed_type_is_refused() => await RefusedAsync<Retyped>("column 'number' is Int64 and was Int32");

    [Fact]
    public async Task A_new_column_without_values_for_old_rows_is_refused() => await RefusedAsync<AddedNotNull>("column 'must' was added and is not nullable");

    [Fact]
    public async Task A_new_key_is_refused() => await RefusedAsync<AddedKey>("second");

    [Fact]
    public async Task Views_are_recorded_with_the_lineage_of_their_features()
    {
        await using var store = await OpenAsync();
        var spine = GroupSchema.Of(typeof(Original));
        var view = new RegisteredView("delay", 1, "f1", "Example", spine, null, "[]", [new("ratio", "spine", "growing", 1, "ratio"), new("sum", "spine", "growing", 1, "ratio"), new("sum", "spine", "growing", 1, "number")]);
        await store.Features.RegisterAsync([new(spine, null)], [view], default);
        await store.Features.RegisterAsync([new(spine, null)], [view with { Fingerprint = "f2", Lineage = [.. view.Lineage.Take(1)] }], default);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.lineage} WHERE feature_view = 'delay'")).ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.feature_views} WHERE fingerprint = 'f2' AND spine_group = 'growing'")).ShouldBe(1);
    }

    private async Task RefusedAsync<T>(string expected)
    {
        await using var store = await OpenAsync();
        await RegisterAsync<Original>(store);
        var before = await store.Ledger.ChangeTokenAsync(default);
        var error = await Should.ThrowAsync<InvalidRequestException>(RegisterAsync<T>(store));
        error.Message.ShouldContain("growing v1");
        error.Message.ShouldContain(expected);
        error.Message.ShouldContain("Version = 2");
        (await store.Ledger.ChangeTokenAsync(default)).ShouldBe(before);
        await WriteOneAsync(store, GroupSchema.Of(typeof(Original)), Readings.At(1));
    }

    private static Task RegisterAsync<T>(TestStore store) => store.Features.RegisterAsync([new(GroupSchema.Of(typeof(T)), "p")], [], default);

    private static async Task WriteOneAsync(TestStore store, GroupSchema group, DateTime at)
    {
        var attempt = await store.AttemptAsync(Readings.Day, group.Name);
        await using var writer = await store.Features.OpenCommitAsync(new(group, CommitKind.Replace, Readings.Day, attempt, "code"), default);
        await writer.WriteAsync(new OneRow(group, at), default);
        (await store.Ledger.WinAsync(new(attempt)
        {
            Commit = new(writer.CommitId, group, Readings.Day, writer.BaseSeq, 1, 0, 1, 1, 0, at, at, "{}", "[]", [], []),
        }, default)).Outcome.ShouldBe(PublishOutcome.Published);
    }

    /// <summary>Every cell holds its ordinal.</summary>
    private sealed class OneRow(GroupSchema group, DateTime at) : IRowBatch
    {
        public int Count => 1;

        public bool IsDeleted(int row) => false;

        public void Bind(int row, ICellSink sink)
        {
            sink.Integer(0, Timestamps.ToMicros(at));
            for (var i = 1; i < group.Columns.Count; i++)
                switch (group.Columns[i].Kind)
                {
                    case CellKind.Integer: sink.Integer(i, i); break;
                    case CellKind.Real: sink.Real(i, i); break;
                    default: sink.Text(i, $"{i}"); break;
                }
        }
    }
}
