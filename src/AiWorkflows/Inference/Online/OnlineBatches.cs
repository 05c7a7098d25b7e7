using System.Collections.Concurrent;

namespace AiWorkflows.Inference;

/// <summary>Numbers what this process answers: a batch for each pipeline, role and version, opened with its first row.</summary>
internal sealed class OnlineBatches(IOnlineLog log, string codeVersion)
{
    /// <summary>A prediction's id has 32 bits for the row.</summary>
    private const int MostRows = int.MaxValue - 1_000_000;

    private readonly ConcurrentDictionary<(string Pipeline, string Role, int Version), Numbered> _open = [];

    /// <summary>The next free place.</summary>
    public async ValueTask<(long BatchId, int Ordinal)> NextAsync(OnlineVersion version, string role, CancellationToken ct)
    {
        var key = (version.Pipeline.Name, role, version.Version);
        while (true)
        {
            var numbered = _open.GetOrAdd(key, _ => new(log.OpenAsync(
                new(version.Pipeline.Name, role, version.Model, version.Version, version.Pipeline.View.Name, version.Pipeline.View.Version, codeVersion), CancellationToken.None)));
            try
            {
                var batch = await numbered.Batch.WaitAsync(ct);
                if (numbered.Next() is var ordinal && ordinal < MostRows)
                    return (batch, ordinal);
            }
            catch (Exception) when (numbered.Batch.IsFaulted)
            {
                _open.TryRemove(new(key, numbered));
                throw;
            }
            _open.TryRemove(new(key, numbered));
        }
    }

    private sealed class Numbered(Task<long> batch)
    {
        private int _last = -1;

        public Task<long> Batch => batch;

        public int Next() => Interlocked.Increment(ref _last);
    }
}
