using System.Security.Authentication;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>What SQL Server's errors mean for the person who has to act. Messages name server, database and login, never more of the connection string.</summary>
internal static class SqlServerErrors
{
    private const string Setting = "AiWorkflows:ConnectionString";

    public static AiWorkflowsException? Explain(Exception error, SqlConnectionStringBuilder connection)
    {
        if (error is not SqlException e)
            return error is InvalidOperationException { InnerException: SqlException inner } ? Explain(inner, connection) : null;
        var (server, database) = (connection.DataSource, connection.InitialCatalog);
        var login = connection.UserID.Length > 0 ? $"'{connection.UserID}'" : "of this user";
        if (IsCertificate(e))
            return new InvalidRequestException($"The certificate of SQL Server {server} is not trusted by this machine. Install one that is, or {(connection.Encrypt == SqlConnectionEncryptOption.Strict
                ? $"say in {Setting} what it looks like (HostNameInCertificate, ServerCertificate); Encrypt=Strict accepts no other."
                : $"add TrustServerCertificate=True to {Setting} (which gives up the proof that it is the right server).")}", e);
        return e.Number switch
        {
            18456 or 18452 or 18486 or 18487 or 18488 => new InvalidRequestException($"SQL Server {server} refuses the login {login}: user or password is wrong, or the login is locked. Check {Setting}.", e),
            4060 or 911 => new InvalidRequestException($"There is no database '{database}' on SQL Server {server}, or the login {login} may not open it. Create it (CREATE DATABASE {SqlServerDialect.Quote(database)}) and a user for the login in it, or correct {Setting}.", e),
            916 => new InvalidRequestException($"The login {login} has no user in database '{database}' on SQL Server {server}. Create one, and add it to the role aiworkflows_host (db/sqlserver/roles.sql).", e),
            3906 or 3908 or 978 => new InvalidRequestException($"Database '{database}' on SQL Server {server} is read-only. Make it writable (ALTER DATABASE … SET READ_WRITE), or name the primary replica in {Setting}.", e),
            229 or 230 or 262 or 297 or 300 or 371 or 1088 or 2760 or 4104 or 15151 or 15247 => new InvalidRequestException($"The login {login} lacks a right in database '{database}' on SQL Server {server}: {Sentence(e)} Add its user to the role aiworkflows_host (db/sqlserver/roles.sql); doctor names every right that is missing.", e),
            1101 or 1105 or 9002 => new InvalidRequestException($"The files of database '{database}' on SQL Server {server} are full: {Sentence(e)} Make room; nothing half-written is visible.", e),
            208 when e.Message.Contains("workflows.", StringComparison.Ordinal) || e.Message.Contains("feature_store.", StringComparison.Ordinal) =>
                new InvalidRequestException($"Database '{database}' on SQL Server {server} lacks a table of this program: {Sentence(e)} Run the command migrate.", e),
            20 when e.Message.Contains("encryption", StringComparison.OrdinalIgnoreCase) =>
                new InvalidRequestException($"SQL Server {server} cannot encrypt the connection. Give it a certificate, or add Encrypt=False to {Setting} where the network between is trusted.", e),
            -1 or 0 or 2 or 53 or 40 or 35 or 64 or 258 or 10060 or 10061 or 11001 or 26 or -2 when IsConnecting(e) =>
                new InvalidRequestException($"SQL Server {server} cannot be reached. Check that it runs, and server name, port and firewall ({Setting}).", e) { StoreIsAway = true },
            _ => null,
        };
    }

    /// <summary>The first sentence of the server's own words.</summary>
    public static string Sentence(SqlException error)
    {
        var message = error.Errors.Count > 0 ? error.Errors[0].Message : error.Message;
        return message.ReplaceLineEndings(" ").TrimEnd('.', ' ') + ".";
    }

    private static bool IsCertificate(SqlException error)
    {
        for (Exception? e = error; e is not null; e = e.InnerException)
            if (e is AuthenticationException || e.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase))
                return true;
        return false;
    }

    private static bool IsConnecting(SqlException error) => error.Number != -2 || error.Message.Contains("onnection", StringComparison.Ordinal);
}
