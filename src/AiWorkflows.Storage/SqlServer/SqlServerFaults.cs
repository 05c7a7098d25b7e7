using System.ComponentModel;
using System.Net.Sockets;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>Faults that pass: what SQL Server and its network do when they restart, fail over, or choose a deadlock's victim.</summary>
internal static class SqlServerFaults
{
    private const int Deadlock = 1205;
    private const int Timeout = -2;

    /// <summary>
    /// 4060 during a restart or failover, 4221 and 976 to 983 replicas that change roles, 40197 to 49920 Azure SQL being moved or busy, 6005 and 17142 to 17148 a shutdown,
    /// 596 and 20 to 10928 connections that broke or could not be made.
    /// </summary>
    private static readonly HashSet<int> Passing =
    [
        Deadlock, 1222, 3960, 4060, 4221, 615, 596, 926, 976, 978, 979, 982, 983, 6005, 9001, 17142, 17143, 17147, 17148, 18401,
        20, 64, 121, 233, 258, 10053, 10054, 10060, 10061, 10928, 10929, 11001, 35,
        40143, 40197, 40501, 40540, 40613, 42108, 42109, 49918, 49919, 49920,
    ];

    /// <summary>Keys that somebody else has inserted in between; the same transaction, run again, finds them.</summary>
    public static bool IsDuplicateKey(Exception error) => error is SqlException { Number: 2601 or 2627 };

    /// <summary>Whether the same work may succeed soon. A timeout of a statement is not among them: the same statement would run as long again.</summary>
    public static bool IsPassing(Exception error) => error switch
    {
        SqlException e => e.Errors.Cast<SqlError>().Any(x => Passing.Contains(x.Number) || x.Class >= 20) || IsBroken(e.InnerException),
        InvalidOperationException { InnerException: { } inner } => IsPassing(inner),
        _ => IsBroken(error),
    };

    /// <summary>Whether the server itself has answered, with an error that ends a transaction (XACT_ABORT) and not the connection: nothing of it has been committed.</summary>
    public static bool IsRefused(Exception error) => error is SqlException { Number: > 0, Class: > 10 and < 20 } e && e.InnerException is not Win32Exception;

    /// <summary>Whether a new connection may succeed soon.</summary>
    public static bool IsPassingOnOpen(Exception error) => IsPassing(error) || error is SqlException { Number: Timeout };

    private static bool IsBroken(Exception? error) => error is SocketException or IOException or Win32Exception { NativeErrorCode: 258 or 10053 or 10054 or 10060 or 10061 };
}
