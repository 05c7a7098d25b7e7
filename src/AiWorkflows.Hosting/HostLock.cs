using System.Text.Json;

namespace AiWorkflows.Hosting;

/// <summary>Who works on a database.</summary>
/// <param name="Kind"><c>serve</c>, or the command that works as the host while it lasts.</param>
/// <param name="Url">Where it serves; null for a command.</param>
internal sealed record HostHolder(int ProcessId, string Kind, string? Url, DateTime Since)
{
    public override string ToString() =>
        $"process {ProcessId} ({Kind}{(Url is null ? "" : $", {Url}")}, since {Timestamps.Display(new DateTime(Since.Ticks - Since.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc))} UTC)";
}

/// <summary>
/// One embedded database has one host. The lock is the operating system's on a file beside the database, so it is free again right after the
/// holder is killed; the file itself is never deleted, or two hosts could hold locks on two files of the same name.
/// </summary>
internal sealed class HostLock : IDisposable
{
    private readonly FileStream _file;
    private readonly string _holderFile;

    private HostLock(FileStream file, string holderFile) => (_file, _holderFile) = (file, holderFile);

    /// <summary>Takes the lock; null while somebody else holds it.</summary>
    /// <exception cref="InvalidRequestException">The directory cannot be written.</exception>
    public static HostLock? TryTake(string databasePath)
    {
        var file = databasePath + ".lock";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            return new(new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1), HolderFile(databasePath));
        }
        catch (IOException e) when (IsHeldByAnother(e))
        {
            return null;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new InvalidRequestException($"Cannot write {file}: {e.Message.TrimEnd('.')}. Make the directory writable, or set AiWorkflows:DataDirectory to one that is.", e);
        }
    }

    /// <summary>Who holds the lock, as far as that is known: a holder that was killed has left its name behind.</summary>
    public static HostHolder? Holder(string databasePath)
    {
        try
        {
            return JsonSerializer.Deserialize<HostHolder>(File.ReadAllText(HolderFile(databasePath)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Leaves a note for those who find the lock taken. On Windows the locked file itself cannot be read.</summary>
    public void Note(HostHolder holder)
    {
        try
        {
            var draft = _holderFile + ".new";
            File.WriteAllText(draft, JsonSerializer.Serialize(holder));
            File.Move(draft, _holderFile, overwrite: true);
        }
        catch (IOException)
        {
            // The note is a courtesy; the lock holds without it.
        }
    }

    public void Dispose()
    {
        try
        {
            File.Delete(_holderFile);
        }
        catch (IOException)
        {
            // As above.
        }
        _file.Dispose();
    }

    private static string HolderFile(string databasePath) => databasePath + ".host";

    /// <summary>A sharing violation on Windows, EAGAIN of flock elsewhere (Linux 11, BSD and macOS 35).</summary>
    private static bool IsHeldByAnother(IOException e) => (e.HResult & 0xFFFF) is 32 or 33 or 11 or 35;
}
