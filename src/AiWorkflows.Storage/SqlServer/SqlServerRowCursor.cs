using System.Data;
using AiWorkflows.Features;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>Rows of a group as the server sends them, on a connection of their own. Each row is copied into typed cells, because the reader gives every column once and in order.</summary>
internal sealed class SqlServerRowCursor : IRowCursor
{
    private const int FirstCell = 2;

    private readonly SqlServerDatabase _database;
    private readonly IReadOnlyList<FeatureColumn> _columns;
    private readonly bool[] _null;
    private readonly long[] _integers;
    private readonly double[] _reals;
    private readonly object?[] _objects;
    private readonly TextInterner _texts = new();
    private readonly SqlConnection _connection;
    private readonly SqlCommand _command;
    private readonly SqlDataReader _reader;

    public SqlServerRowCursor(SqlServerDatabase database, string sql, IReadOnlyList<FeatureColumn> columns, Action<SqlCommand> bind)
    {
        (_database, _columns) = (database, columns);
        (_null, _integers, _reals, _objects) = (new bool[columns.Count], new long[columns.Count], new double[columns.Count], new object?[columns.Count]);
        // Opening is repeated; reading on is not, for the rows before have been used already.
        (_connection, _command, _reader) = database.RetryAsync(() => Task.FromResult(Execute(sql, bind)), retryDuplicates: false, CancellationToken.None).GetAwaiter().GetResult();
    }

    public long CommitId { get; private set; }

    public bool IsDeleted { get; private set; }

    public bool Read()
    {
        try
        {
            if (!_reader.Read())
                return false;
            CommitId = _reader.GetInt64(0);
            IsDeleted = _reader.GetBoolean(1);
            for (var i = 0; i < _columns.Count; i++)
                Copy(i);
            return true;
        }
        catch (SqlException e) when (_database.Explain(e) is { } explained)
        {
            throw explained;
        }
    }

    public bool IsNull(int ordinal) => _null[ordinal];

    public long Integer(int ordinal) => _integers[ordinal];

    public double Real(int ordinal) => _reals[ordinal];

    public string Text(int ordinal) => (string)_objects[ordinal]!;

    public byte[] Blob(int ordinal) => (byte[])_objects[ordinal]!;

    public void Dispose()
    {
        // Without this the rest of the rows would be read to the end before the connection is free.
        _command.Cancel();
        _reader.Dispose();
        _command.Dispose();
        _connection.Dispose();
    }

    private (SqlConnection, SqlCommand, SqlDataReader) Execute(string sql, Action<SqlCommand> bind)
    {
        var connection = _database.Open();
        var command = new SqlCommand(sql, connection) { CommandTimeout = 0 };
        try
        {
            bind(command);
            return (connection, command, command.ExecuteReader(CommandBehavior.SequentialAccess | CommandBehavior.SingleResult));
        }
        catch
        {
            command.Dispose();
            connection.Dispose();
            throw;
        }
    }

    private void Copy(int i)
    {
        var column = FirstCell + i;
        _null[i] = _reader.IsDBNull(column);
        switch (_columns[i].Kind)
        {
            // The cells still hold the row before.
            case CellKind.Integer when _null[i]: _integers[i] = 0; break;
            case CellKind.Real when _null[i]: _reals[i] = 0; break;
            case CellKind.Text when _null[i]: _objects[i] = ""; break;
            case CellKind.Blob when _null[i]: _objects[i] = Array.Empty<byte>(); break;
            case CellKind.Integer: _integers[i] = SqlServerCells.Integer(_reader, column, _columns[i]); break;
            case CellKind.Real: _reals[i] = SqlServerCells.Real(_reader, column, _columns[i]); break;
            case CellKind.Text: _objects[i] = _texts.Intern(_reader.GetString(column)); break;
            default: _objects[i] = _reader.GetFieldValue<byte[]>(column); break;
        }
    }

    /// <summary>Equal texts become the same string: entity keys repeat in almost every row.</summary>
    private sealed class TextInterner
    {
        /// <summary>Beyond this it starts anew, so that a column of unique texts does not pile up in memory.</summary>
        private const int MostTexts = 500_000;

        private readonly HashSet<string> _known = new(StringComparer.Ordinal);

        public string Intern(string text)
        {
            if (_known.TryGetValue(text, out var known))
                return known;
            if (_known.Count == MostTexts)
                _known.Clear();
            _known.Add(text);
            return text;
        }
    }
}
