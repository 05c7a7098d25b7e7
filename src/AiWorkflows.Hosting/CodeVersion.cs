using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;

namespace AiWorkflows.Hosting;

/// <summary>Names the code that runs: <c>commit-hash</c>, the commit being "unversioned" outside git, the hash that of the program's own assemblies.</summary>
internal static class CodeVersion
{
    private const int Digits = 12;

    public static string Of(Assembly program)
    {
        var informational = program.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        var commit = informational.IndexOf('+', StringComparison.Ordinal) is >= 0 and var at ? informational[(at + 1)..] : "";
        return $"{(commit.Length == 0 ? "unversioned" : commit[..Math.Min(Digits, commit.Length)])}-{HashOf(OwnAssemblies(program))}";
    }

    /// <summary>A changed working tree has the commit of an unchanged one; only the assemblies tell them apart.</summary>
    internal static string HashOf(IEnumerable<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files.Order(StringComparer.Ordinal))
            hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..Digits];
    }

    /// <summary>The program and the projects that it is built from, as its deps.json lists them; packages are told apart by their versions there.</summary>
    private static IEnumerable<string> OwnAssemblies(Assembly program)
    {
        var directory = AppContext.BaseDirectory;
        var name = program.GetName().Name ?? "";
        var names = new HashSet<string>(StringComparer.Ordinal) { name, "AiWorkflows", "AiWorkflows.Storage", "AiWorkflows.Hosting" };
        var deps = Path.Combine(directory, name + ".deps.json");
        if (File.Exists(deps))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(deps));
            foreach (var library in json.RootElement.GetProperty("libraries").EnumerateObject())
                if (library.Value.GetProperty("type").GetString() == "project")
                    names.Add(library.Name[..library.Name.IndexOf('/', StringComparison.Ordinal)]);
        }
        return names.Select(n => Path.Combine(directory, n + ".dll")).Where(File.Exists);
    }
}
