using AiWorkflows.Storage;
using AiWorkflows.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Tests.Flights;

/// <summary>One whole run of the reference application, shared by all tests that look at what came of it.</summary>
public sealed class FlightDelaysRun : IAsyncLifetime
{
    private readonly TempFolder _folder = new();

    internal string Folder => _folder.Path;

    internal string DatabasePath => _folder.File("data/aiworkflows.db");

    internal CommandResult Result { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Result = await FlightDelaysProcess.RunAsync(Folder, "run", "flight-delays");
        Result.ExitCode.ShouldBe(0, Result.Output + Result.Error);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    internal Task<CommandResult> CommandAsync(params string[] arguments) => FlightDelaysProcess.RunAsync(Folder, arguments);

    internal StoreDatabase Open() => new SqliteDatabase(DatabasePath);

    internal IEnumerable<T> Query<T>(string sql, Func<SqliteDataReader, T> row, params (string Name, object Value)[] parameters)
    {
        using var connection = new SqliteConnection($"Data Source={DatabasePath};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        using var reader = command.ExecuteReader();
        while (reader.Read())
            yield return row(reader);
    }
}

[CollectionDefinition(Name)]
public sealed class FlightDelaysCollection : ICollectionFixture<FlightDelaysRun>
{
    public const string Name = "one run of flight-delays";
}
