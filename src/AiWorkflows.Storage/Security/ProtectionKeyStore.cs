namespace AiWorkflows.Storage.Security;

/// <summary>What cookies and anti-forgery tokens are encrypted with, kept in the database so that all its hosts can read what one of them has written.</summary>
internal sealed class ProtectionKeyStore(StoreDatabase database)
{
    public Task<IReadOnlyList<string>> ListAsync(CancellationToken ct) =>
        database.ReadAsync<string>("SELECT xml FROM {workflows.protection_keys} ORDER BY protection_key_id", null, ct);

    public Task AddAsync(string name, string xml, CancellationToken ct) => database.WriteAsync(tx => tx.ExecuteAsync(
        "INSERT INTO {workflows.protection_keys} (friendly_name, xml, created_at) VALUES (@Name, @Xml, {now})", new { Name = name, Xml = xml }), ct);
}
