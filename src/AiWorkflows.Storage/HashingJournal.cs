using System.Data;
using DbUp.Engine;
using DbUp.Engine.Transactions;

namespace AiWorkflows.Storage;

/// <summary>DbUp's journal with the hash of each script, so that an edited one is noticed.</summary>
internal sealed class HashingJournal(StoreDatabase database, Func<IConnectionManager> connections) : IJournal
{
    public const string SelectApplied = "SELECT script, sha256 FROM {workflows.schema_versions} ORDER BY script";

    public string[] GetExecutedScripts() => connections().ExecuteCommandsWithManagedConnection(newCommand =>
    {
        EnsureTableExistsAndIsLatestVersion(newCommand);
        using var command = newCommand();
        command.CommandText = database.Sql(SelectApplied);
        using var reader = command.ExecuteReader();
        var scripts = new List<string>();
        while (reader.Read())
            scripts.Add(reader.GetString(0));
        return scripts.ToArray();
    });

    public void StoreExecutedScript(SqlScript script, Func<IDbCommand> dbCommandFactory)
    {
        using var command = dbCommandFactory();
        command.CommandText = database.Sql("INSERT INTO {workflows.schema_versions} (script, sha256, applied_at) VALUES (@script, @sha256, {now})");
        Add(command, "@script", script.Name);
        Add(command, "@sha256", Migrator.Hash(script.Contents));
        command.ExecuteNonQuery();
    }

    public void EnsureTableExistsAndIsLatestVersion(Func<IDbCommand> dbCommandFactory)
    {
        using var command = dbCommandFactory();
        command.CommandText = database.Sql("{create_journal}");
        command.ExecuteNonQuery();
    }

    private static void Add(IDbCommand command, string name, string value)
    {
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.Value) = (name, value);
        command.Parameters.Add(parameter);
    }
}
