using AiWorkflows.Features;
using AiWorkflows.Storage.SqlServer;

namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>The statements that are generated for feature groups.</summary>
internal static class GeneratedStatements
{
    /// <summary>Those that create the table, its index and its view.</summary>
    public static IEnumerable<(string Where, string Template)> Defining(GroupSchema group) =>
    [
        ($"SqlServerGroupTable.CreateTable({group})", SqlServerGroupTable.CreateTable(group)),
        ($"SqlServerGroupTable.KeepRowLocks({group})", SqlServerGroupTable.KeepRowLocks(group)),
        ($"SqlServerGroupTable.CreateKeyIndex({group})", SqlServerGroupTable.CreateKeyIndex(group)),
        ($"SqlServerGroupTable.CreateView({group})", SqlServerGroupTable.CreateView(group)),
    ];

    /// <summary>Those that read and write, with each column that may be asked for.</summary>
    public static IEnumerable<(string Where, string Template)> Using(GroupSchema group, IReadOnlyList<FeatureColumn> columns) =>
    [
        ($"SqlServerGroupTable.Scan({group})", SqlServerGroupTable.Scan(group, columns)),
        ($"SqlServerGroupTable.Seek({group})", SqlServerGroupTable.Seek(group, columns)),
        ($"SqlServerGroupTable.SeekNewest({group})", SqlServerGroupTable.SeekNewest(group, columns, "s0")),
        ($"SqlServerGroupTable.Copy({group})", Insert(SqlServerGroupTable.Table(group), SqlServerCommitWriter.ColumnsOf(group).Select(c => c.Name))),
    ];

    /// <summary>Those that change a table which is there already.</summary>
    public static IEnumerable<(string Where, string Template)> Changing(GroupSchema group) =>
    [
        .. group.Features.Select(c => ($"SqlServerGroupTable.AddColumn({group})", SqlServerGroupTable.AddColumn(group, c))),
        .. group.Columns.Select(c => ($"SqlServerGroupTable.WidenColumn({group})", SqlServerGroupTable.WidenColumn(group, c))),
        ($"SqlServerGroupTable.DropKeyIndex({group})", SqlServerGroupTable.DropKeyIndex(group)),
        ($"SqlServerGroupTable.DropView({group})", SqlServerGroupTable.DropView(group)),
    ];

    /// <summary>What bulk copies into tables with fixed columns fill.</summary>
    public static IEnumerable<(string Where, string Template)> Copying =>
    [
        ("SqlServerStreamStore.EventColumns", Insert("workflows.stream_events", SqlServerStreamStore.EventColumns.Select(c => c.Name))),
        ("SqlServerBatchWriter.Columns", Insert("prediction_log.prediction_rows", SqlServerBatchWriter.Columns.Select(c => c.Name))),
        ("SqlServerPredictionLog.Columns", Insert("#given", SqlServerPredictionLog.Columns.Select(c => c.Name))),
    ];

    /// <summary>A bulk copy sends no text; it names table and columns as this statement does.</summary>
    private static string Insert(string table, IEnumerable<string> columns) => columns.ToArray() is var names
        ? $"INSERT INTO {table} ({string.Join(", ", names.Select(SqlServerDialect.Quote))}) VALUES ({string.Join(", ", names.Select((_, i) => $"@p{i}"))})" : "";
}
