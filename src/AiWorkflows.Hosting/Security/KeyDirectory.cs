using AiWorkflows.Storage;
using AiWorkflows.Storage.Security;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting.Security;

/// <summary>A key that lets somebody in.</summary>
/// <param name="Id">Its part that may be shown; of a key of the configuration, its name behind a prefix.</param>
internal sealed record KnownKey(string Id, string Name, string Role, string Hash);

/// <summary>
/// The keys in force: those of the configuration, and those of the database as of at most two seconds ago, so that a revocation reaches every host by
/// then. While the database is away the last ones hold: nobody can revoke any either.
/// </summary>
internal sealed class KeyDirectory(HostSettings settings, ApiKeyStore store, TimeProvider time, ILogger<KeyDirectory> log) : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);
    private readonly Dictionary<string, KnownKey> _configured = settings.Options.Security.ApiKeys.ToDictionary(
        k => k.Value.Hash.ToLowerInvariant(), k => new KnownKey("configured:" + k.Key, k.Key, k.Value.Role, k.Value.Hash), StringComparer.Ordinal);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile Read? _read;

    /// <summary>Whether there is any key, in force or not: one that was revoked must not open a door.</summary>
    public bool HasAny => _configured.Count > 0 || _read is { Any: true };

    /// <summary>Whether some key lets somebody in.</summary>
    public bool HasActive => Active.Count > 0;

    /// <summary>The keys that let somebody in.</summary>
    public IReadOnlyCollection<KnownKey> Active => _read is { } read ? [.. _configured.Values, .. read.Active.Values] : _configured.Values;

    /// <summary>Reads the keys of the database again, unless somebody has just done so.</summary>
    public async ValueTask RefreshAsync(CancellationToken ct)
    {
        if (_read is { } read && time.GetElapsedTime(read.At) < Fresh)
            return;
        // Whoever comes while another one reads goes on with what is known, as long as something is.
        if (!await _reading.WaitAsync(_read is null ? Timeout.Infinite : 0, ct))
            return;
        try
        {
            if (_read is { } now && time.GetElapsedTime(now.At) < Fresh)
                return;
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            if (_read is not null)
                patience.CancelAfter(Fresh);
            var keys = await store.ListAsync(patience.Token);
            _read = new(time.GetTimestamp(), keys.Count > 0, keys.Where(k => k.IsActive == 1).ToDictionary(k => k.KeyId, k => new KnownKey(k.KeyId, k.KeyName, k.Role, k.Hash), StringComparer.Ordinal));
        }
        catch (Exception e) when (_read is { } last && !ct.IsCancellationRequested)
        {
            log.LogWarning(e, "The keys cannot be read from the store; those read before hold on");
            _read = last with { At = time.GetTimestamp() };
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>The key that was presented, if it is in force.</summary>
    public KnownKey? Find(string presented)
    {
        var hash = ApiKey.HashOf(presented);
        // The lookup goes by a hash that a stranger cannot steer; what is compared with a stored secret is compared in fixed time.
        if (_configured.TryGetValue(hash, out var configured))
            return ApiKey.Matches(configured.Hash, hash) ? configured : null;
        return ApiKey.IdOf(presented) is { } id && _read is { } read && read.Active.TryGetValue(id, out var known) && ApiKey.Matches(known.Hash, hash) ? known : null;
    }

    /// <summary>The key with this id, if it is still in force: what a session was opened with.</summary>
    public KnownKey? FindById(string id) => _read is { } read && read.Active.TryGetValue(id, out var known) ? known : _configured.Values.FirstOrDefault(k => k.Id == id);

    public void Dispose() => _reading.Dispose();

    private sealed record Read(long At, bool Any, Dictionary<string, KnownKey> Active);
}
