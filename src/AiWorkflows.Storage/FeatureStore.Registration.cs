using System.Text;
using AiWorkflows.Features;

namespace AiWorkflows.Storage;

internal abstract partial class FeatureStore
{
    public async Task RegisterAsync(IReadOnlyList<RegisteredGroup> groups, IReadOnlyList<RegisteredView> views, CancellationToken ct)
    {
        // Most starts find everything as it is, and then write nothing.
        var known = (await database.ReadAsync<GroupRow>(SelectGroups, null, ct)).ToDictionary(g => (g.FeatureGroup, (int)g.Version));
        var changed = groups.Where(g => !known.TryGetValue((g.Schema.Name, g.Schema.Version), out var row) || !row.Equals(g)).ToArray();
        var knownViews = (await database.ReadAsync<ViewRow>("SELECT feature_view, version, fingerprint FROM {feature_store.feature_views}", null, ct)).ToDictionary(v => (v.FeatureView, (int)v.Version), v => v.Fingerprint);
        var changedViews = views.Where(v => !knownViews.TryGetValue((v.Name, v.Version), out var fingerprint) || fingerprint != v.Fingerprint).ToArray();
        if (changed.Length == 0 && changedViews.Length == 0)
            return;
        try
        {
            await database.WriteAsync(async tx =>
            {
                await database.LockAsync(tx, "registration");
                foreach (var group in changed)
                    foreach (var (sql, row) in Registration(group, await tx.FirstAsync<GroupRow>(SelectGroup, new { group.Schema.Name, group.Schema.Version })))
                        await tx.ExecuteAsync(sql, row);
                foreach (var view in changedViews)
                    await RegisterAsync(tx, view);
            }, ct);
        }
        catch (Exception e) when (changed.Length > 0 && database.LacksRights(e))
        {
            throw new InvalidRequestException($"{database.Location} lacks the tables of {string.Join(", ", changed.Select(g => g.Schema))}, or columns of them, and this user may not create them. Let somebody who may run the command migrate, or the output of migrate --script.", e);
        }
    }

    /// <summary>What registering would do to the groups' tables, as a script; empty where they are as they should be.</summary>
    /// <param name="isEmpty">Whether the database has no tables yet.</param>
    public async Task<string> ScriptAsync(IReadOnlyList<RegisteredGroup> groups, bool isEmpty, CancellationToken ct)
    {
        var known = isEmpty ? [] : (await database.ReadAsync<GroupRow>(SelectGroups, null, ct)).ToDictionary(g => (g.FeatureGroup, (int)g.Version));
        var text = new StringBuilder();
        foreach (var group in groups)
        {
            var stored = known.GetValueOrDefault((group.Schema.Name, group.Schema.Version));
            if (stored is not null && stored.Equals(group))
                continue;
            text.Append("-- ").Append(group.Schema).Append('\n');
            foreach (var (sql, row) in Registration(group, stored))
                text.Append(row is null ? sql : SqlLiterals.Fill(database.Sql(sql), row, database.TextPrefix)).Append(database.BatchSeparator);
            text.Append('\n');
        }
        return text.ToString();
    }

    /// <summary>The statements that create the group's table, index and view.</summary>
    protected abstract IReadOnlyList<string> CreateStatements(GroupSchema group);

    /// <summary>The statements that add columns (none: only the declared order or index changed), widen those that were narrower, and renew view and index.</summary>
    protected abstract IReadOnlyList<string> AlterStatements(GroupSchema group, IReadOnlyList<StoredColumn> stored, IReadOnlyList<FeatureColumn> added);

    private const string SelectGroups =
        "SELECT feature_group, version, fingerprint, schema_revision, description, written_by, columns_json, online, lag FROM {feature_store.feature_groups}";

    private const string SelectGroup = SelectGroups + " WHERE feature_group = @Name AND version = @Version";

    /// <summary>The statements that create or change the group's table, and those that record it. Nothing where another host has just done the same.</summary>
    private IEnumerable<(string Sql, object? Row)> Registration(RegisteredGroup group, GroupRow? stored)
    {
        var schema = group.Schema;
        if (stored is not null && stored.Equals(group))
            yield break;
        var columns = stored is null ? [] : StoredColumn.Read(stored.ColumnsJson);
        var ddl = stored is null ? CreateStatements(schema) : AlterStatements(schema, columns, GroupChanges.Additions(schema, columns));
        foreach (var statement in ddl)
            yield return (statement, null);
        var revision = stored is null ? 1 : stored.SchemaRevision + (stored.Fingerprint == schema.Fingerprint ? 0 : 1);
        var row = new
        {
            schema.Name,
            schema.Version,
            schema.Fingerprint,
            Revision = revision,
            schema.Description,
            group.WrittenBy,
            ColumnsJson = StoredColumn.Write(schema),
            Online = schema.Online ? 1 : 0,
            Lag = Timestamps.ToMicros(schema.Lag),
            Ddl = string.Join(";\n", ddl),
        };
        yield return (stored is null ? """
            INSERT INTO {feature_store.feature_groups} (feature_group, version, fingerprint, schema_revision, description, written_by, columns_json, online, lag, created_at)
            VALUES (@Name, @Version, @Fingerprint, @Revision, @Description, @WrittenBy, @ColumnsJson, @Online, @Lag, {now})
            """ : """
            UPDATE {feature_store.feature_groups} SET fingerprint = @Fingerprint, schema_revision = @Revision, description = @Description, written_by = @WrittenBy,
                columns_json = @ColumnsJson, online = @Online, lag = @Lag
            WHERE feature_group = @Name AND version = @Version
            """, row);
        if (stored is null || stored.SchemaRevision != revision)
            yield return ("""
                INSERT INTO {feature_store.group_schemas} (feature_group, version, revision, fingerprint, columns_json, ddl, applied_at)
                VALUES (@Name, @Version, @Revision, @Fingerprint, @ColumnsJson, @Ddl, {now})
                """, row);
    }

    private static async Task RegisterAsync(WriteTransaction tx, RegisteredView view)
    {
        var key = new { view.Name, view.Version };
        await tx.ExecuteAsync("DELETE FROM {feature_store.feature_views} WHERE feature_view = @Name AND version = @Version", key);
        await tx.ExecuteAsync("DELETE FROM {feature_store.lineage} WHERE feature_view = @Name AND view_version = @Version", key);
        await tx.ExecuteAsync("""
            INSERT INTO {feature_store.feature_views} (feature_view, version, fingerprint, example_type, spine_group, spine_version, label_json, columns_json, created_at)
            VALUES (@Name, @Version, @Fingerprint, @ExampleType, @SpineName, @SpineVersion, @LabelJson, @ColumnsJson, {now})
            """, new { view.Name, view.Version, view.Fingerprint, view.ExampleType, SpineName = view.Spine.Name, SpineVersion = view.Spine.Version, view.LabelJson, view.ColumnsJson });
        await tx.ExecuteAsync("""
            INSERT INTO {feature_store.lineage} (feature_view, view_version, feature, join_alias, feature_group, group_version, group_column)
            VALUES (@Name, @Version, @Feature, @Alias, @Group, @GroupVersion, @Column)
            """, view.Lineage.DistinctBy(e => (e.Feature, e.Alias, e.Group, e.Column)).Select(e => new { view.Name, view.Version, e.Feature, e.Alias, e.Group, e.GroupVersion, e.Column }).ToArray());
    }

    private sealed class GroupRow
    {
        public string FeatureGroup { get; set; } = "";

        public long Version { get; set; }

        public string Fingerprint { get; set; } = "";

        public long SchemaRevision { get; set; }

        public string? Description { get; set; }

        public string? WrittenBy { get; set; }

        public string ColumnsJson { get; set; } = "";

        public bool Online { get; set; }

        public long Lag { get; set; }

        public bool Equals(RegisteredGroup group) =>
            Fingerprint == group.Schema.Fingerprint && Description == group.Schema.Description && WrittenBy == group.WrittenBy && ColumnsJson == StoredColumn.Write(group.Schema)
            && Online == group.Schema.Online && Lag == Timestamps.ToMicros(group.Schema.Lag);
    }

    private sealed class ViewRow
    {
        public string FeatureView { get; set; } = "";

        public long Version { get; set; }

        public string Fingerprint { get; set; } = "";
    }
}
