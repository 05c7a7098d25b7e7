using System.Security.Authentication;
using AiWorkflows.Storage.SqlServer;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Tests.Storage;

/// <summary>What the server's errors become: one clear line that says what to do, and never a credential.</summary>
public sealed class SqlServerErrorsTests
{
    private const string Secret = "top-secret";

    private static readonly SqlServerDatabase Database = new(new SqlConnectionStringBuilder { DataSource = "db.example", InitialCatalog = "ai]flows 'x'", UserID = "robot", Password = Secret }.ConnectionString);

    [Theory]
    [InlineData(18456, "Login failed for user 'robot'.", "refuses the login 'robot'", "user or password is wrong")]
    [InlineData(18486, "Login failed for user 'robot' because the account is currently locked out.", "refuses the login 'robot'", "locked")]
    [InlineData(18487, "Login failed for user 'robot'.  Reason: The password of the account has expired.", "refuses the login 'robot'", "AiWorkflows:ConnectionString")]
    [InlineData(4060, "Cannot open database \"ai]flows 'x'\" requested by the login. The login failed.", "There is no database 'ai]flows 'x''", "CREATE DATABASE [ai]]flows 'x']")]
    [InlineData(911, "Database 'ai]flows 'x'' does not exist.", "There is no database", "CREATE DATABASE [ai]]flows 'x']")]
    [InlineData(916, "The server principal \"robot\" is not able to access the database \"ai]flows 'x'\" under the current security context.", "has no user in database", "aiworkflows_host")]
    [InlineData(3906, "Failed to update database \"ai]flows 'x'\" because the database is read-only.", "is read-only", "SET READ_WRITE")]
    [InlineData(3908, "Could not run BEGIN TRANSACTION in database 'ai]flows 'x'' because the database is in emergency mode or is damaged and must be restarted.", "is read-only", "primary replica")]
    [InlineData(978, "The target database ('ai]flows 'x'') is in an availability group and is currently accessible for connections when the application intent is set to read only.", "is read-only", "primary replica")]
    [InlineData(229, "The INSERT permission was denied on the object 'runs', database 'ai]flows 'x'', schema 'workflows'.", "INSERT permission was denied on the object 'runs'", "db/sqlserver/roles.sql")]
    [InlineData(262, "CREATE TABLE permission denied in database 'ai]flows 'x''.", "CREATE TABLE permission denied", "doctor")]
    [InlineData(1105, "Could not allocate space for object 'x' because the 'PRIMARY' filegroup is full.", "are full", "Make room")]
    [InlineData(9002, "The transaction log for database 'ai]flows 'x'' is full due to 'LOG_BACKUP'.", "are full", "LOG_BACKUP")]
    [InlineData(208, "Invalid object name 'workflows.runs'.", "lacks a table of this program", "migrate")]
    [InlineData(53, "A network-related or instance-specific error occurred while establishing a connection to SQL Server. The server was not found or was not accessible.", "cannot be reached", "firewall")]
    [InlineData(-2, "Connection Timeout Expired.  The timeout period elapsed while attempting to consume the pre-login handshake acknowledgement.", "cannot be reached", "firewall")]
    [InlineData(20, "The instance of SQL Server you attempted to connect to does not support encryption.", "cannot encrypt", "Encrypt=False")]
    public void Each_error_of_a_person_is_one_line_that_says_what_to_do(int number, string message, string says, string andWhatToDo)
    {
        var explained = Database.Explain(MadeSqlException.Of(number, message)).ShouldBeOfType<InvalidRequestException>().Message;
        explained.ShouldContain(says);
        explained.ShouldContain(andWhatToDo);
        explained.ShouldContain("db.example");
        explained.ShouldNotContain("\n");
        explained.ShouldNotContain(Secret);
    }

    [Theory]
    [InlineData("Server=db.example;Database=x;Encrypt=True", "TrustServerCertificate=True")]
    [InlineData("Server=db.example;Database=x;Encrypt=Strict", "HostNameInCertificate")]
    public void A_certificate_that_nobody_vouches_for_is_said_with_the_way_out_that_this_kind_of_encryption_has(string connectionString, string wayOut)
    {
        var error = MadeSqlException.Of(0, "A connection was successfully established with the server, but then an error occurred during the pre-login handshake. (provider: TCP Provider, error: 35 - An internal exception was caught)",
            20, new AuthenticationException("The remote certificate was rejected by the provided RemoteCertificateValidationCallback."));
        var explained = new SqlServerDatabase(connectionString).Explain(error).ShouldBeOfType<InvalidRequestException>().Message;
        explained.ShouldContain("is not trusted by this machine");
        explained.ShouldContain(wayOut);
    }

    [Fact]
    public void What_nobody_can_act_on_stays_as_it_is()
    {
        Database.Explain(MadeSqlException.Of(8134, "Divide by zero error encountered.")).ShouldBeNull();
        Database.Explain(MadeSqlException.Of(208, "Invalid object name 'mine'.")).ShouldBeNull();
        Database.Explain(new InvalidOperationException("no connection")).ShouldBeNull();
    }

    [Theory]
    [InlineData(262, "CREATE SCHEMA permission denied in database 'shop'.", true)]
    [InlineData(2760, "The specified schema name \"workflows\" either does not exist or you do not have permission to use it.", true)]
    [InlineData(1088, "Cannot find the object \"workflows.runs\" because it does not exist or you do not have permissions.", true)]
    [InlineData(229, "The SELECT permission was denied on the object 'schema_versions'.", true)]
    [InlineData(208, "Invalid object name 'workflows.runs'.", false)]
    [InlineData(102, "Incorrect syntax near 'x'.", false)]
    public void A_migration_that_fails_for_a_lack_of_rights_is_told_from_one_that_is_wrong(int number, string message, bool lacks) =>
        Database.LacksRights(new AiWorkflowsException("around it", MadeSqlException.Of(number, message))).ShouldBe(lacks);

    [Theory]
    [InlineData(1205, true)]
    [InlineData(40613, true)]
    [InlineData(10054, true)]
    [InlineData(229, false)]
    [InlineData(2627, false)]
    [InlineData(-2, false)]
    public void Only_what_passes_by_itself_is_tried_again(int number, bool passes) => SqlServerFaults.IsPassing(MadeSqlException.Of(number, "…")).ShouldBe(passes);
}
