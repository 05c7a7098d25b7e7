namespace AiWorkflows.SqlServer.Tests.Proof;

internal static class InterimDialect
{
    public static string Render(string name, string argument) => name switch
    {
        "now" => "SYSUTCDATETIME()",
        "in" => $"DATEADD(microsecond, {argument}, SYSUTCDATETIME())",
        "ago" => $"DATEADD(microsecond, -{argument}, SYSUTCDATETIME())",
        "tick" => $"DATEADD(microsecond, 1, {argument})",
        "inserted" => $"OUTPUT {string.Join(", ", argument.Split(", ").Select(a => "inserted." + a))}",
        "returning" => "",
        "limit" => $"OFFSET 0 ROWS FETCH NEXT {argument} ROWS ONLY",
        "create_journal" => "IF OBJECT_ID(N'workflows.schema_versions') IS NULL CREATE TABLE workflows.schema_versions (script nvarchar(128) NOT NULL PRIMARY KEY, sha256 nvarchar(64) NOT NULL, applied_at datetime2(6) NOT NULL)",
        _ when name.Contains('.') => name,
        _ => throw new ArgumentException(name),
    };
}
