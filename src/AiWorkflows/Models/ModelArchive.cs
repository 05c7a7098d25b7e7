using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;

namespace AiWorkflows.Models;

/// <summary>A saved model with its two hashes.</summary>
/// <param name="Bytes">The archive, its entries in order of name and with one fixed time, so that equal models are equal files.</param>
/// <param name="Sha256">Hash of <paramref name="Bytes"/>.</param>
/// <param name="ContentSha256">Hash over (name, content) of the entries: what is compared, because it does not depend on compression.</param>
internal sealed record ModelArchive(byte[] Bytes, string Sha256, string ContentSha256)
{
    private static readonly DateTimeOffset EntryTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static ModelArchive Save(MLContext ml, ITransformer model, DataViewSchema input)
    {
        using var saved = new MemoryStream();
        ml.Model.Save(model, input, saved);
        saved.Position = 0;
        return Normalize(saved);
    }

    public static ModelArchive Normalize(Stream archive)
    {
        using var source = new ZipArchive(archive, ZipArchiveMode.Read, leaveOpen: true);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var target = new MemoryStream();
        using (var normalized = new ZipArchive(target, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var entry in source.Entries.OrderBy(e => e.FullName, StringComparer.Ordinal))
            {
                using var content = new MemoryStream();
                using (var stream = entry.Open())
                    stream.CopyTo(content);
                var bytes = content.GetBuffer().AsSpan(0, (int)content.Length);
                Append(hash, Encoding.UTF8.GetBytes(entry.FullName));
                Append(hash, bytes);
                var copy = normalized.CreateEntry(entry.FullName, CompressionLevel.Optimal);
                copy.LastWriteTime = EntryTime;
                using var output = copy.Open();
                output.Write(bytes);
            }
        var result = target.ToArray();
        return new(result, Convert.ToHexStringLower(SHA256.HashData(result)), Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <exception cref="StageFailedException">The artifact is no model that ML.NET can load here.</exception>
    public static ITransformer Load(byte[] archive, string name)
    {
        try
        {
            return new MLContext().Model.Load(new MemoryStream(archive, writable: false), out _);
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new StageFailedException($"Model {name} cannot be loaded: {e.Message} Is the package of its trainer referenced by this host?", e);
        }
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
