using AiWorkflows.Features;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>A few rows of a group that were read already. Cells: long, double, string or byte[]; null for missing.</summary>
internal sealed class SqlServerRows(IReadOnlyList<FeatureColumn> columns) : IRowCursor
{
    private const int FirstCell = 2;

    private readonly List<(long CommitId, bool IsDeleted, object?[] Cells)> _rows = [];
    private int _current = -1;

    public int Count => _rows.Count;

    /// <summary>Whether the reader went beyond the last row.</summary>
    public bool IsAtEnd => _current >= _rows.Count;

    public long CommitId => _rows[_current].CommitId;

    public bool IsDeleted => _rows[_current].IsDeleted;

    public void Add(SqlDataReader reader)
    {
        var cells = new object?[columns.Count];
        for (var i = 0; i < cells.Length; i++)
            if (!reader.IsDBNull(FirstCell + i))
                cells[i] = columns[i].Kind switch
                {
                    CellKind.Integer => SqlServerCells.Integer(reader, FirstCell + i, columns[i]),
                    CellKind.Real => SqlServerCells.Real(reader, FirstCell + i, columns[i]),
                    CellKind.Text => reader.GetString(FirstCell + i),
                    _ => reader.GetFieldValue<byte[]>(FirstCell + i),
                };
        _rows.Add((reader.GetInt64(0), reader.GetBoolean(1), cells));
    }

    public bool Read() => ++_current < _rows.Count;

    public bool IsNull(int ordinal) => Cell(ordinal) is null;

    public long Integer(int ordinal) => Cell(ordinal) is long value ? value : 0;

    public double Real(int ordinal) => Cell(ordinal) is double value ? value : 0;

    public string Text(int ordinal) => Cell(ordinal) as string ?? "";

    public byte[] Blob(int ordinal) => Cell(ordinal) as byte[] ?? [];

    public void Dispose() { }

    private object? Cell(int ordinal) => _rows[_current].Cells[ordinal];
}
