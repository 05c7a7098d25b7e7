namespace AiWorkflows.SqlServer.Tests.Planted;

/// <summary>Statements with a mistake in each: what the proof has to find.</summary>
internal sealed class Queries
{
    private const string Columns = "run_id, workflow, windou_from";

    private const string Unfinished = "state IN ('requested', 'running') AND finnished_at IS NULL";

    public static string InAConstant() => "SELECT run_id, workflw FROM {workflows.runs} WHERE run_id = @RunId";

    public static string InAPart() => $$"""SELECT {{Columns}} FROM {workflows.runs} WHERE run_id = @RunId""";

    public static async Task<string> InAnAsynchronousMethodAsync()
    {
        await Task.Yield();
        return $$"""SELECT COUNT(*) FROM {workflows.runs} WHERE {{Unfinished}}""";
    }

    public static Func<string> InALambda() => () => "UPDATE {workflows.hosts} SET last_sean = {now} WHERE host = @Host";

    public static string Composed(string? workflow) => "SELECT run_id FROM {workflows.runs}" + (workflow is null ? "" : " WHERE worcflow = @Workflow");

    public static string MakesATemporaryTable() => "CREATE TABLE #planted (entity_key nvarchar(10) NOT NULL)";

    public static string InATemporaryTable() => "SELECT t.entity_kay FROM #planted t";

    public static string OfAnUnknownFunction() => "SELECT GROUP_CONCAT(alias) FROM {model_registry.aliases}";

    public static string WithTooFewValues() => "INSERT INTO {workflows.run_pins} (run_id, model, version) VALUES (@RunId, @Model)";

    public static string WithoutARequiredValue() => "INSERT INTO {workflows.run_pins} (run_id, model) VALUES (@RunId, @Model)";
}
