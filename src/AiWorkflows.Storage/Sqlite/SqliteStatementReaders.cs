using System.Collections.Concurrent;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Reading connections that are kept with their compiled statements for the next query.</summary>
internal sealed class SqliteStatementReaders(Func<SqliteStatements> open) : IDisposable
{
    /// <summary>As many as read at a time in a busy host; what is beyond is closed again.</summary>
    private const int MostIdle = 4;

    private readonly ConcurrentBag<SqliteStatements> _idle = [];
    private volatile bool _disposed;

    public SqliteStatements Rent() => _idle.TryTake(out var idle) ? idle : open();

    public void Return(SqliteStatements connection)
    {
        _idle.Add(connection);
        if (_disposed || _idle.Count > MostIdle)
            CloseOne();
    }

    public void Dispose()
    {
        _disposed = true;
        while (!_idle.IsEmpty)
            CloseOne();
    }

    private void CloseOne()
    {
        if (_idle.TryTake(out var connection))
            connection.Dispose();
    }
}
