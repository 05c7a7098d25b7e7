using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>A connection that keeps the statements it has compiled: for most of ours that takes longer than to execute them. One flow uses it at a time.</summary>
internal sealed class SqliteStatements(string connectionString) : SqliteConnection(connectionString)
{
    /// <summary>All of an engine fit; lists of parameters, whose texts differ by their length, make room for themselves now and then.</summary>
    private const int Most = 256;

    private readonly Dictionary<string, SqliteCommand> _idle = new(StringComparer.Ordinal);

    public SqliteCommand Rent(string sql)
    {
        if (_idle.Remove(sql, out var kept))
            return kept;
        var command = CreateCommand();
        command.CommandText = sql;
        return command;
    }

    public void Return(SqliteCommand command)
    {
        command.Parameters.Clear();
        command.Transaction = null;
        if (_idle.Count == Most)
            Forget();
        if (!_idle.TryAdd(command.CommandText, command))
            command.Dispose();
    }

    protected override DbCommand CreateDbCommand() => new KeptCommand(this);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Forget();
        base.Dispose(disposing);
    }

    private void Forget()
    {
        foreach (var command in _idle.Values)
            command.Dispose();
        _idle.Clear();
    }

    /// <summary>A command that executes the compiled statement of its text, and gives it back.</summary>
    private sealed class KeptCommand(SqliteStatements connection) : DbCommand
    {
        // Only its collection of parameters is used.
        private readonly SqliteCommand _own = new();
        private SqliteCommand? _rented;

        [AllowNull]
        public override string CommandText { get; set; } = "";

        public override int CommandTimeout { get; set; } = connection.DefaultTimeout;

        public override CommandType CommandType { get; set; } = CommandType.Text;

        public override bool DesignTimeVisible { get; set; }

        public override UpdateRowSource UpdatedRowSource { get; set; }

        protected override DbConnection? DbConnection { get; set; } = connection;

        protected override DbTransaction? DbTransaction { get; set; }

        protected override DbParameterCollection DbParameterCollection => _own.Parameters;

        public override void Cancel() { }

        public override void Prepare() { }

        public override int ExecuteNonQuery() => Execute(static command => command.ExecuteNonQuery());

        public override object? ExecuteScalar() => Execute(static command => command.ExecuteScalar());

        protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => Execute(command => command.ExecuteReader(behavior));

        protected override DbParameter CreateDbParameter() => new SqliteParameter();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                GiveBack();
                _own.Dispose();
            }
            base.Dispose(disposing);
        }

        private T Execute<T>(Func<SqliteCommand, T> execute)
        {
            GiveBack();
            var command = connection.Rent(CommandText);
            try
            {
                command.CommandTimeout = CommandTimeout;
                command.Transaction = (SqliteTransaction?)DbTransaction;
                foreach (SqliteParameter parameter in _own.Parameters)
                    command.Parameters.Add(parameter);
                var result = execute(command);
                _rented = command;
                return result;
            }
            catch
            {
                command.Dispose();
                throw;
            }
        }

        private void GiveBack()
        {
            if (_rented is { } rented)
                connection.Return(rented);
            _rented = null;
        }
    }
}
