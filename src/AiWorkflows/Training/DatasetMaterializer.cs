using AiWorkflows.Features;
using AiWorkflows.Models;

namespace AiWorkflows.Training;

/// <summary>A dataset on disk.</summary>
/// <param name="Rows">Labelled examples, which the file holds.</param>
/// <param name="UnlabelledRows">Examples left out, because their label was not known before the cut-off.</param>
/// <param name="IsNew">False where the same content lay there already.</param>
internal sealed record MaterializedDataset(string Path, string ContentHash, long Rows, long UnlabelledRows, long Bytes, bool IsNew)
{
    public string FileName => System.IO.Path.GetFileName(Path);
}

/// <summary>Reads a view once and leaves the labelled examples in an Arrow file.</summary>
internal static class DatasetMaterializer
{
    /// <summary>Writes into <paramref name="directory"/> under the hash of the content; a dataset that is already there is kept.</summary>
    /// <param name="onExample">Called with every labelled example, in order.</param>
    public static async Task<MaterializedDataset> WriteAsync<TExample>(
        FeatureViewDefinition<TExample> view, ExampleSchema<TExample> schema, FeatureReadSession session, TrainingSplit split,
        string directory, Action<Example<TExample>>? onExample, CancellationToken ct) where TExample : class
    {
        var written = await WriteTemporaryAsync(view, schema, session, split, directory, onExample, ct);
        var path = Path.Combine(directory, written.ContentHash + ".arrow");
        var isNew = !File.Exists(path);
        try
        {
            if (!isNew)
                File.Delete(written.Path);
            else
                File.Move(written.Path, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(directory, e);
        }
        return written with { Path = path, IsNew = isNew };
    }

    /// <summary>Writes under a temporary name, which the caller deletes or renames.</summary>
    public static async Task<MaterializedDataset> WriteTemporaryAsync<TExample>(
        FeatureViewDefinition<TExample> view, ExampleSchema<TExample> schema, FeatureReadSession session, TrainingSplit split,
        string directory, Action<Example<TExample>>? onExample, CancellationToken ct) where TExample : class
    {
        var path = Path.Combine(directory, $".{Guid.NewGuid():N}.tmp");
        try
        {
            Directory.CreateDirectory(directory);
            var unlabelled = 0L;
            using var writer = new DatasetWriter<TExample>(schema, path);
            await foreach (var batch in view.ReadAsync(session, split.Spine, new(Labels: true, LabelsKnownBefore: split.CutOff, EntityKeys: true), ct))
                foreach (var example in batch)
                {
                    if (!example.HasLabel)
                    {
                        unlabelled++;
                        continue;
                    }
                    onExample?.Invoke(example);
                    await writer.AppendAsync(example, ct);
                }
            var hash = await writer.FinishAsync(ct);
            return new(path, hash, writer.Rows, unlabelled, new FileInfo(path).Length, IsNew: true);
        }
        catch (Exception e)
        {
            Delete(path);
            if (e is IOException or UnauthorizedAccessException)
                throw CannotWrite(directory, e);
            throw;
        }
    }

    public static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A leftover under a temporary name is no harm; what is being reported matters more.
        }
    }

    private static StageFailedException CannotWrite(string directory, Exception e) =>
        new($"The training dataset could not be written to {directory}: {e.Message} Free space there, or set AiWorkflows:DataDirectory to a folder that can be written.", e);
}
