using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using AiWorkflows.Features;
using AiWorkflows.Models;
using Apache.Arrow;
using Apache.Arrow.Types;

namespace AiWorkflows.Training;

/// <summary>One column of a dataset while it is written: collects a record batch, hashes its canonical bytes.</summary>
internal abstract class DatasetColumn<TExample>(string name, IArrowType type, bool nullable) : IDisposable where TExample : class
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _validity = new byte[DatasetFile.BatchRows / 8];

    public Field Field { get; } = new(name, type, nullable);

    public abstract void Append(int row, in Example<TExample> example);

    /// <summary>The batch as an Arrow array over this column's own buffers: to be written before the next row is appended.</summary>
    public abstract IArrowArray Flush(int rows);

    public byte[] FinishHash() => _hash.GetHashAndReset();

    public void Dispose() => _hash.Dispose();

    protected int NullCount { get; private set; }

    protected void Hash(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    protected void SetNull(int row)
    {
        _validity[row >> 3] |= (byte)(1 << (row & 7));
        NullCount++;
    }

    /// <summary>Arrow's validity bitmap (1 = present), empty where nothing is missing; resets it for the next batch.</summary>
    protected ArrowBuffer TakeValidity(int rows)
    {
        if (NullCount == 0)
            return ArrowBuffer.Empty;
        var bitmap = new byte[(rows + 7) / 8];
        for (var i = 0; i < bitmap.Length; i++)
            bitmap[i] = (byte)~_validity[i];
        System.Array.Clear(_validity);
        NullCount = 0;
        return new(bitmap);
    }
}

/// <summary>Numbers. A missing one is null for Arrow, and NaN in the values below it, which ML.NET reads without looking at the bitmap.</summary>
internal sealed class NumberColumn<TExample>(string name, Func<TExample, float> get) : DatasetColumn<TExample>(name, FloatType.Default, nullable: true) where TExample : class
{
    private readonly float[] _values = new float[DatasetFile.BatchRows];

    public override void Append(int row, in Example<TExample> example)
    {
        var value = get(example.Features);
        _values[row] = value;
        if (float.IsNaN(value))
            SetNull(row);
    }

    public override IArrowArray Flush(int rows)
    {
        Hash(MemoryMarshal.AsBytes(_values.AsSpan(0, rows)));
        var nulls = NullCount;
        return new FloatArray(Buffers.Of(_values, rows), TakeValidity(rows), rows, nulls, 0);
    }
}

/// <summary>Vectors of one declared length; a missing one is NaN throughout.</summary>
internal sealed class VectorColumn<TExample>(string name, Func<TExample, float[]?> get, int length)
    : DatasetColumn<TExample>(name, new FixedSizeListType(new Field("item", FloatType.Default, false), length), nullable: true) where TExample : class
{
    private readonly float[] _values = new float[DatasetFile.BatchRows * length];

    public override void Append(int row, in Example<TExample> example)
    {
        var target = _values.AsSpan(row * length, length);
        if (get(example.Features) is not { } vector)
        {
            target.Fill(float.NaN);
            SetNull(row);
            return;
        }
        for (var i = 0; i < length; i++)
            target[i] = ExampleGetters.Canonical(vector[i], $"{typeof(TExample).Name}.{Field.Name}");
    }

    public override IArrowArray Flush(int rows)
    {
        Hash(MemoryMarshal.AsBytes(_values.AsSpan(0, rows * length)));
        var nulls = NullCount;
        var items = new FloatArray(Buffers.Of(_values, rows * length), ArrowBuffer.Empty, rows * length, 0, 0);
        return new FixedSizeListArray(Field.DataType, rows, items, TakeValidity(rows), nulls, 0);
    }
}

/// <summary>Text; the hash runs over lengths (-1 for missing) and bytes, so that it does not depend on how rows are batched.</summary>
internal abstract class TextColumn<TExample>(string name, bool nullable) : DatasetColumn<TExample>(name, StringType.Default, nullable) where TExample : class
{
    private readonly IncrementalHash _lengthHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly int[] _lengths = new int[DatasetFile.BatchRows];
    private readonly int[] _offsets = new int[DatasetFile.BatchRows + 1];
    private byte[] _bytes = new byte[DatasetFile.BatchRows * 8];

    protected abstract string? Text(in Example<TExample> example);

    public override void Append(int row, in Example<TExample> example)
    {
        var start = _offsets[row];
        if (Text(example) is not { } text)
        {
            SetNull(row);
            (_lengths[row], _offsets[row + 1]) = (-1, start);
            return;
        }
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (start + most > _bytes.Length)
            System.Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, start + most));
        var length = Encoding.UTF8.GetBytes(text, _bytes.AsSpan(start));
        (_lengths[row], _offsets[row + 1]) = (length, start + length);
    }

    public override IArrowArray Flush(int rows)
    {
        _lengthHash.AppendData(MemoryMarshal.AsBytes(_lengths.AsSpan(0, rows)));
        Hash(_bytes.AsSpan(0, _offsets[rows]));
        var nulls = NullCount;
        return new StringArray(rows, Buffers.Of(_offsets, rows + 1), Buffers.Of(_bytes, _offsets[rows]), TakeValidity(rows), nulls, 0);
    }

    public byte[] FinishLengthHash() => _lengthHash.GetHashAndReset();
}

internal sealed class TextFeatureColumn<TExample>(string name, Func<TExample, string?> get) : TextColumn<TExample>(name, nullable: true) where TExample : class
{
    protected override string? Text(in Example<TExample> example) => get(example.Features);
}

internal sealed class TextLabelColumn<TExample>() : TextColumn<TExample>(DatasetFile.LabelColumn, nullable: false) where TExample : class
{
    protected override string? Text(in Example<TExample> example) => example.LabelText;
}

internal sealed class EntityKeyColumn<TExample>() : TextColumn<TExample>(DatasetFile.EntityKeyColumn, nullable: false) where TExample : class
{
    protected override string? Text(in Example<TExample> example) => example.EntityKey;
}

internal sealed class NumberLabelColumn<TExample>() : DatasetColumn<TExample>(DatasetFile.LabelColumn, FloatType.Default, nullable: false) where TExample : class
{
    private readonly float[] _values = new float[DatasetFile.BatchRows];

    public override void Append(int row, in Example<TExample> example) => _values[row] = ExampleGetters.Canonical((float)example.Label, "The label");

    public override IArrowArray Flush(int rows)
    {
        Hash(MemoryMarshal.AsBytes(_values.AsSpan(0, rows)));
        return new FloatArray(Buffers.Of(_values, rows), ArrowBuffer.Empty, rows, 0, 0);
    }
}

internal sealed class BooleanLabelColumn<TExample>() : DatasetColumn<TExample>(DatasetFile.LabelColumn, BooleanType.Default, nullable: false) where TExample : class
{
    private readonly byte[] _bits = new byte[DatasetFile.BatchRows / 8];
    private readonly byte[] _values = new byte[DatasetFile.BatchRows];

    public override void Append(int row, in Example<TExample> example)
    {
        var positive = example.Label > 0.5;
        _values[row] = positive ? (byte)1 : (byte)0;
        var bit = (byte)(1 << (row & 7));
        _bits[row >> 3] = (byte)(positive ? _bits[row >> 3] | bit : _bits[row >> 3] & ~bit);
    }

    public override IArrowArray Flush(int rows)
    {
        Hash(_values.AsSpan(0, rows));
        return new BooleanArray(Buffers.Of(_bits, (rows + 7) / 8), ArrowBuffer.Empty, rows, 0, 0);
    }
}

internal sealed class EventTimeColumn<TExample>()
    : DatasetColumn<TExample>(DatasetFile.EventTimeColumn, new TimestampType(TimeUnit.Microsecond, "UTC"), nullable: false) where TExample : class
{
    private readonly long[] _values = new long[DatasetFile.BatchRows];

    public override void Append(int row, in Example<TExample> example) => _values[row] = Timestamps.ToMicros(example.EventTime);

    public override IArrowArray Flush(int rows)
    {
        Hash(MemoryMarshal.AsBytes(_values.AsSpan(0, rows)));
        return new TimestampArray((TimestampType)Field.DataType, Buffers.Of(_values, rows), ArrowBuffer.Empty, rows, 0, 0);
    }
}

internal static class Buffers
{
    /// <summary>The first elements of an array as an Arrow buffer; copied, because Arrow takes only memory of bytes.</summary>
    public static ArrowBuffer Of<T>(T[] values, int count) where T : struct => new(MemoryMarshal.AsBytes(values.AsSpan(0, count)).ToArray());
}
