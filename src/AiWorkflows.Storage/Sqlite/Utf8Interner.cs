using System.IO.Hashing;
using System.Text;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Turns UTF-8 into strings, and equal bytes into the same string: entity keys repeat in almost every row.</summary>
internal sealed class Utf8Interner
{
    /// <summary>Beyond this the table starts anew, so that a column of unique texts does not pile up in memory.</summary>
    private const long LongestTotal = 64 * 1024 * 1024;

    private Entry[] _entries = new Entry[256];
    private int _count;
    private long _total;

    private struct Entry
    {
        public ulong Hash;
        public byte[]? Utf8;
        public string Text;
    }

    public string Intern(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
            return "";
        var hash = XxHash3.HashToUInt64(utf8);
        var entries = _entries;
        var slot = (int)hash & (entries.Length - 1);
        while (entries[slot].Utf8 is { } bytes)
        {
            if (entries[slot].Hash == hash && utf8.SequenceEqual(bytes))
                return entries[slot].Text;
            slot = (slot + 1) & (entries.Length - 1);
        }
        return Add(utf8, hash);
    }

    private string Add(ReadOnlySpan<byte> utf8, ulong hash)
    {
        var text = Encoding.UTF8.GetString(utf8);
        _total += 3L * utf8.Length + 64;
        if (_total > LongestTotal)
            (_entries, _count, _total) = (new Entry[256], 0, 0);
        else if (_count * 2 > _entries.Length)
            Grow();
        Put(_entries, new Entry { Hash = hash, Utf8 = utf8.ToArray(), Text = text });
        _count++;
        return text;
    }

    private void Grow()
    {
        var larger = new Entry[_entries.Length * 2];
        foreach (var entry in _entries)
            if (entry.Utf8 is not null)
                Put(larger, entry);
        _entries = larger;
    }

    private static void Put(Entry[] entries, in Entry entry)
    {
        var slot = (int)entry.Hash & (entries.Length - 1);
        while (entries[slot].Utf8 is not null)
            slot = (slot + 1) & (entries.Length - 1);
        entries[slot] = entry;
    }
}
