using System.Diagnostics.CodeAnalysis;
using Testcontainers.MsSql;

namespace AiWorkflows.Tests.Storage;

/// <summary>The SQL Server for tests: the one that AIWORKFLOWS_TEST_SQLSERVER names, or one in a container where Docker is there, started once and only when a test asks for it.</summary>
internal static class SqlServerTestServer
{
    public const string Variable = "AIWORKFLOWS_TEST_SQLSERVER";

    private const string Image = "mcr.microsoft.com/mssql/server:2022-latest";

    private static readonly Lazy<(string? ConnectionString, string Absence)> Found = new(Find);

    /// <summary>Without a database; null where there is no server.</summary>
    public static string? ConnectionString => Found.Value.ConnectionString;

    /// <summary>Why there is none, and both ways to have one.</summary>
    public static string Absence => Found.Value.Absence;

    private static (string?, string) Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { } named && !string.IsNullOrWhiteSpace(named))
            return (named, "");
        if (!DockerEndpoint.Answers())
            return (null, $"There is no SQL Server to test on: {Variable} holds no connection string (Server=…;User ID=…;Password=…, without a database), and there is no Docker in which Testcontainers could start one.");
        return Task.Run(StartAsync).GetAwaiter().GetResult();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever keeps a container from starting is a reason to skip, and is said.")]
    private static async Task<(string?, string)> StartAsync()
    {
        try
        {
            // Removed by Testcontainers' own watcher when this process has ended, however it ends.
            var container = new MsSqlBuilder(Image).Build();
            await container.StartAsync();
            return (container.GetConnectionString(), "");
        }
        catch (Exception e)
        {
            return (null, $"There is no SQL Server to test on: {Variable} holds no connection string, and Docker could not start {Image}: {e.Message.ReplaceLineEndings(" ")}");
        }
    }
}
