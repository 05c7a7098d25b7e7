namespace AiWorkflows.Storage.SqlServer;

/// <summary>The words of T-SQL for the placeholders of the shared statements.</summary>
internal static class SqlServerDialect
{
    // The precision of the columns: a finer clock would be later than what has just been stored with it.
    private const string Now = "CAST(SYSUTCDATETIME() AS datetime2(6))";

    private const string CreateJournal = """
        IF SCHEMA_ID(N'workflows') IS NULL EXEC (N'CREATE SCHEMA workflows');
        IF OBJECT_ID(N'workflows.schema_versions') IS NULL
            CREATE TABLE workflows.schema_versions (
                script      nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
                sha256      nvarchar(64) COLLATE Latin1_General_100_BIN2  NOT NULL,
                applied_at  datetime2(6)                                  NOT NULL,
                CONSTRAINT pk_schema_versions PRIMARY KEY CLUSTERED (script)
            );
        """;

    public static string Render(string name, string argument) => name switch
    {
        "now" => Now,
        "in" => Add(Now, argument),
        "ago" => Add(Now, "-" + argument),
        "after" when argument.Split(", ") is [var time, var micros] => Add(time, micros),
        "inserted" => $"OUTPUT {string.Join(", ", argument.Split(',').Select(c => $"inserted.{c.Trim()}"))}",
        "returning" => "",
        "bytes" => $"COALESCE(CAST(DATALENGTH({argument}) AS bigint), 0)",
        "limit" => $"OFFSET 0 ROWS FETCH NEXT {argument} ROWS ONLY",
        "top" => $"TOP ({argument}) ",
        "top_end" => "",
        // Loops keep the order in which the tables are written; for a page of rows that is what is wanted.
        "entity" when argument.Split(", ") is [var column, var key] => $"{column} = {key}",
        "then" => $"INNER LOOP {argument}",
        "held" => "WITH (REPEATABLEREAD)",
        "create_journal" => CreateJournal,
        _ when name.Contains('.', StringComparison.Ordinal) => name,
        _ => throw new ArgumentException($"Unknown placeholder {{{name}}} in a statement."),
    };

    public static string Quote(string identifier) => $"[{identifier.Replace("]", "]]", StringComparison.Ordinal)}]";

    /// <summary>DATEADD takes an int, and an int of microseconds is 36 minutes.</summary>
    private static string Add(string time, string micros) =>
        $"DATEADD(MICROSECOND, CAST({micros} % 1000000 AS int), DATEADD(SECOND, CAST({micros} / 1000000 AS int), {time}))";
}
