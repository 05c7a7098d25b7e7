using System.Security.Cryptography;
using System.Text;
using AiWorkflows.Features;
using AiWorkflows.Models;
using Apache.Arrow;
using Apache.Arrow.Ipc;

namespace AiWorkflows.Training;

/// <summary>Writes examples into an uncompressed Arrow IPC file, batch by batch, and hashes the canonical bytes of every column on the way.</summary>
internal sealed class DatasetWriter<TExample> : IDisposable where TExample : class
{
    private readonly DatasetColumn<TExample>[] _columns;
    private readonly Schema _schema;
    private readonly FileStream _file;
    private readonly ArrowFileWriter _writer;
    private int _pending;

    public DatasetWriter(ExampleSchema<TExample> schema, string path)
    {
        _columns = [.. Features(schema), LabelOf(schema), new EventTimeColumn<TExample>(), new EntityKeyColumn<TExample>()];
        _schema = new(_columns.Select(c => c.Field), null);
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
        _writer = new(_file, _schema, leaveOpen: true);
    }

    public long Rows { get; private set; }

    public async Task AppendAsync(Example<TExample> example, CancellationToken ct)
    {
        foreach (var column in _columns)
            column.Append(_pending, example);
        Rows++;
        if (++_pending == DatasetFile.BatchRows)
            await FlushAsync(ct);
    }

    /// <summary>Ends the file, makes it durable and returns the hash of its content: of order, names, types and values, but of nothing else in the file.</summary>
    public async Task<string> FinishAsync(CancellationToken ct)
    {
        // A file without a batch would lack its schema.
        if (_pending > 0 || Rows == 0)
            await FlushAsync(ct);
        await _writer.WriteEndAsync(ct);
        _file.Flush(flushToDisk: true);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var column in _columns)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{column.Field.Name}\0{column.Field.DataType.Name}\0"));
            if (column is TextColumn<TExample> text)
                hash.AppendData(text.FinishLengthHash());
            hash.AppendData(column.FinishHash());
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public void Dispose()
    {
        _writer.Dispose();
        _file.Dispose();
        foreach (var column in _columns)
            column.Dispose();
    }

    private async Task FlushAsync(CancellationToken ct)
    {
        using var batch = new RecordBatch(_schema, _columns.Select(c => c.Flush(_pending)), _pending);
        await _writer.WriteRecordBatchAsync(batch, ct);
        _pending = 0;
    }

    private static IEnumerable<DatasetColumn<TExample>> Features(ExampleSchema<TExample> schema)
    {
        for (var i = 0; i < schema.Columns.Count; i++)
        {
            var column = schema.Columns[i];
            yield return column.Kind switch
            {
                ExampleColumnKind.Number => new NumberColumn<TExample>(column.Name, (Func<TExample, float>)schema.Getters[i]),
                ExampleColumnKind.Text => new TextFeatureColumn<TExample>(column.Name, (Func<TExample, string?>)schema.Getters[i]),
                _ => new VectorColumn<TExample>(column.Name, (Func<TExample, float[]?>)schema.Getters[i], column.Length),
            };
        }
    }

    private static DatasetColumn<TExample> LabelOf(ExampleSchema schema) => ModelTasks.Of(schema.Label!) switch
    {
        ModelTask.Binary => new BooleanLabelColumn<TExample>(),
        ModelTask.Multiclass => new TextLabelColumn<TExample>(),
        _ => new NumberLabelColumn<TExample>(),
    };
}
