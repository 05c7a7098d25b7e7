namespace AiWorkflows.Storage.Security;

/// <summary>The keys that let people and programs in, as <c>workflows.api_keys</c> has them: hashes, never the keys.</summary>
internal sealed class ApiKeyStore(StoreDatabase database)
{
    /// <summary>All keys, those that were revoked or have expired too, in the order of their making.</summary>
    public async Task<IReadOnlyList<StoredApiKey>> ListAsync(CancellationToken ct) => await database.ReadAsync<StoredApiKey>("""
        SELECT key_id, key_name, role, hash, created_at, created_by, expires_at, revoked_at, revoked_by,
               CASE WHEN revoked_at IS NULL AND (expires_at IS NULL OR expires_at > {now}) THEN 1 ELSE 0 END AS is_active
        FROM {workflows.api_keys} ORDER BY created_at, key_id
        """, null, ct);

    /// <summary>Adds a key; false where one of that name is in use.</summary>
    public Task<bool> AddAsync(string keyId, string name, string role, string hash, DateTime? expires, string by, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        await database.LockAsync(tx, "api_keys");
        // An expired key gives its name free.
        await tx.ExecuteAsync("UPDATE {workflows.api_keys} SET revoked_at = expires_at WHERE key_name = @Name AND revoked_at IS NULL AND expires_at <= {now}", new { Name = name });
        var added = await tx.ExecuteAsync("""
            INSERT INTO {workflows.api_keys} (key_id, key_name, role, hash, created_at, created_by, expires_at)
            SELECT @KeyId, @Name, @Role, @Hash, {now}, @By, @Expires
            WHERE NOT EXISTS (SELECT 1 FROM {workflows.api_keys} WHERE key_name = @Name AND revoked_at IS NULL)
            """, new { KeyId = keyId, Name = name, Role = role, Hash = hash, By = by, Expires = Utc.From(expires) });
        if (added == 0)
        {
            tx.RollBack();
            return false;
        }
        await Ledger.AuditAsync(tx, by, "key-create", $"key {name}", $"{keyId}, {role}{(expires is { } end ? $", until {Timestamps.Display(end)}" : "")}");
        return true;
    }, ct);

    /// <summary>Ends the key of that name; false where none is in use.</summary>
    public Task<bool> RevokeAsync(string name, string by, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var keyId = await tx.ScalarAsync<string>("SELECT key_id FROM {workflows.api_keys} WHERE key_name = @Name AND revoked_at IS NULL", new { Name = name });
        if (keyId is null || await tx.ExecuteAsync("UPDATE {workflows.api_keys} SET revoked_at = {now}, revoked_by = @By WHERE key_id = @KeyId AND revoked_at IS NULL", new { KeyId = keyId, By = by }) == 0)
        {
            tx.RollBack();
            return false;
        }
        await Ledger.AuditAsync(tx, by, "key-revoke", $"key {name}", keyId);
        return true;
    }, ct);
}

/// <summary>A row of <c>workflows.api_keys</c>.</summary>
internal sealed class StoredApiKey
{
    public string KeyId { get; set; } = "";

    public string KeyName { get; set; } = "";

    public string Role { get; set; } = "";

    public string Hash { get; set; } = "";

    public Utc CreatedAt { get; set; }

    public string CreatedBy { get; set; } = "";

    public Utc? ExpiresAt { get; set; }

    public Utc? RevokedAt { get; set; }

    public string? RevokedBy { get; set; }

    /// <summary>1 where it is neither revoked nor expired, by the database's clock.</summary>
    public long IsActive { get; set; }
}
