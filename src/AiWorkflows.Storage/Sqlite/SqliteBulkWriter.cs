using System.Diagnostics;
using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Inserts rows in transactions so short that nobody waits long behind them; each first asks whether its writer may still write.</summary>
/// <param name="insert">A statement with one parameter per cell.</param>
/// <param name="isOpen">A rendered query with the parameter @Id that counts 1 while rows may be written; null where anybody may write.</param>
internal sealed class SqliteBulkWriter(SqliteDatabase database, string insert, string? isOpen = null, long id = 0, Func<Exception>? fenced = null) : IAsyncDisposable
{
    /// <summary>Everybody else waits at most about this long, so this is what an online prediction may pay.</summary>
    private static readonly TimeSpan LongestTransaction = TimeSpan.FromMilliseconds(8);

    private const int RowsBetweenLooks = 32;

    private RawStatement? _insert;
    private RawStatement? _isOpen;

    /// <summary>Rows that have been inserted or changed.</summary>
    public long Changes { get; private set; }

    /// <summary>Binds and inserts rows 0 to <paramref name="count"/> - 1.</summary>
    public async Task WriteAsync(int count, Action<RawStatement, int> bind, CancellationToken ct)
    {
        for (var next = 0; next < count;)
        {
            ct.ThrowIfCancellationRequested();
            var from = next;
            next = await database.WriteRawAsync(connection => WriteChunk(connection, from, count, bind), ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_insert is null)
            return;
        await database.WriteRawAsync(_ =>
        {
            _insert?.Dispose();
            _isOpen?.Dispose();
            return 0;
        }, CancellationToken.None);
        (_insert, _isOpen) = (null, null);
    }

    private int WriteChunk(SqliteConnection connection, int from, int count, Action<RawStatement, int> bind)
    {
        _insert ??= new RawStatement(connection.Handle!, insert);
        var started = Stopwatch.GetTimestamp();
        using var transaction = connection.BeginTransaction();
        if (!IsOpen(connection))
            throw fenced!();
        var before = sqlite3_total_changes(connection.Handle);
        var next = from;
        do
        {
            for (var stop = Math.Min(count, next + RowsBetweenLooks); next < stop; next++)
            {
                bind(_insert, next);
                _insert.Execute();
            }
        }
        while (next < count && Stopwatch.GetElapsedTime(started) < LongestTransaction);
        var changes = sqlite3_total_changes(connection.Handle) - before;
        transaction.Commit();
        database.Activity.Committed(durable: false);
        Changes += changes;
        return next;
    }

    private bool IsOpen(SqliteConnection connection)
    {
        if (isOpen is null)
            return true;
        _isOpen ??= new RawStatement(connection.Handle!, isOpen);
        _isOpen.Bind(1, id);
        var open = _isOpen.Step() && _isOpen.Integer(0) == 1;
        _isOpen.Reset();
        return open;
    }
}
