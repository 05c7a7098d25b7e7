using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace AiWorkflows.Hosting.Security;

/// <summary>
/// A key as it is handed out: <c>awk_</c>, an id of 10 characters that may be shown, and 256 random bits. A plain SHA-256 is kept of it: nobody guesses
/// 256 bits, so there is nothing that a slow hash would slow down, and each request can be checked.
/// </summary>
internal static class ApiKey
{
    /// <summary>How every key begins, so that people and secret scanners know one when they see it.</summary>
    public const string Prefix = "awk_";

    /// <summary>Hexadecimal digits of a hash.</summary>
    public const int HashLength = 64;

    private const int IdLength = 10;
    private const int SecretLength = 43;
    private const int LongestName = 64;
    private const string IdLetters = "abcdefghijkmnpqrstuvwxyz23456789";

    public static (string Id, string Key) Create()
    {
        var id = RandomNumberGenerator.GetString(IdLetters, IdLength);
        return (id, $"{Prefix}{id}_{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32))}");
    }

    /// <summary>The id in a key that was presented; null where it is none.</summary>
    public static string? IdOf(string key) =>
        key.Length == Prefix.Length + IdLength + 1 + SecretLength && key.StartsWith(Prefix, StringComparison.Ordinal) && key[Prefix.Length + IdLength] == '_'
            ? key[Prefix.Length..(Prefix.Length + IdLength)] : null;

    public static string HashOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>Compares in a time that does not depend on where two hashes differ.</summary>
    public static bool Matches(string hash, string other) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(hash.ToLowerInvariant()), Encoding.ASCII.GetBytes(other));

    /// <summary>What is wrong with the name of a key; null for a good one.</summary>
    public static string? MistakeInName(string name) =>
        name.Length is 0 or > LongestName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '@')
            ? $"'{ApiName(name)}' is no name of a key; use up to {LongestName} letters, digits and . _ - @."
            : name.StartsWith(Prefix, StringComparison.Ordinal) ? "that is a key, not the name of one; a name stands in lists and logs." : null;

    private static string ApiName(string name) => name.Length <= LongestName ? name : name[..LongestName] + "…";
}
