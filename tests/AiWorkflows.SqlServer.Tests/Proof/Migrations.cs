namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>The migrations as they are built into the program.</summary>
internal static class Migrations
{
    public static IReadOnlyList<Source> Of(string engine)
    {
        var assembly = typeof(AiWorkflows.Storage.StoreDatabase).Assembly;
        return [.. assembly.GetManifestResourceNames().Where(n => n.StartsWith($"db/{engine}/", StringComparison.Ordinal) && char.IsAsciiDigit(Path.GetFileName(n)[0])).Order(StringComparer.Ordinal).Select(n =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(n)!);
            return new Source(n, reader.ReadToEnd());
        })];
    }
}
