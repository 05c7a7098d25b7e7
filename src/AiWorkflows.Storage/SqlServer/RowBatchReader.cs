using System.Collections;
using System.Data.Common;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>Rows that are made while SqlBulkCopy asks for them: the least of a reader that it needs.</summary>
/// <param name="columns">Name and CLR type of each column, in order.</param>
/// <param name="bind">Puts the values of a row, given by its number, into the array.</param>
internal sealed class RowBatchReader(IReadOnlyList<(string Name, Type Type)> columns, int first, int count, Action<int, object[]> bind) : DbDataReader
{
    private readonly object[] _values = new object[columns.Count];
    private readonly int _end = first + count;
    private int _next = first;

    public override int FieldCount => columns.Count;

    public override bool HasRows => _next < _end;

    public override bool IsClosed => false;

    public override int Depth => 0;

    public override int RecordsAffected => -1;

    public override object this[int ordinal] => GetValue(ordinal);

    public override object this[string name] => GetValue(GetOrdinal(name));

    public override bool Read()
    {
        if (_next == _end)
            return false;
        Array.Fill(_values, DBNull.Value);
        bind(_next++, _values);
        return true;
    }

    public override object GetValue(int ordinal) => _values[ordinal];

    public override bool IsDBNull(int ordinal) => _values[ordinal] is DBNull;

    public override string GetName(int ordinal) => columns[ordinal].Name;

    public override int GetOrdinal(string name) => columns.Select((c, i) => (c.Name, i)).First(c => c.Name == name).i;

    public override Type GetFieldType(int ordinal) => columns[ordinal].Type;

    public override string GetDataTypeName(int ordinal) => columns[ordinal].Type.Name;

    public override int GetValues(object[] values)
    {
        _values.CopyTo(values, 0);
        return _values.Length;
    }

    public override bool NextResult() => false;

    public override IEnumerator GetEnumerator() => throw new NotSupportedException();

    public override bool GetBoolean(int ordinal) => (bool)_values[ordinal];

    public override byte GetByte(int ordinal) => (byte)_values[ordinal];

    public override char GetChar(int ordinal) => throw new NotSupportedException();

    public override long GetBytes(int ordinal, long dataOffset, byte[]? buffer, int bufferOffset, int length) => throw new NotSupportedException();

    /// <summary>How a value longer than 8,000 bytes is asked for.</summary>
    public override Stream GetStream(int ordinal) => new MemoryStream((byte[])_values[ordinal], writable: false);

    public override long GetChars(int ordinal, long dataOffset, char[]? buffer, int bufferOffset, int length) => throw new NotSupportedException();

    public override DateTime GetDateTime(int ordinal) => (DateTime)_values[ordinal];

    public override decimal GetDecimal(int ordinal) => (decimal)_values[ordinal];

    public override double GetDouble(int ordinal) => (double)_values[ordinal];

    public override float GetFloat(int ordinal) => (float)_values[ordinal];

    public override Guid GetGuid(int ordinal) => (Guid)_values[ordinal];

    public override short GetInt16(int ordinal) => (short)_values[ordinal];

    public override int GetInt32(int ordinal) => (int)_values[ordinal];

    public override long GetInt64(int ordinal) => (long)_values[ordinal];

    public override string GetString(int ordinal) => (string)_values[ordinal];
}
