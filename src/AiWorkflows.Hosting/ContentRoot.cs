using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;

namespace AiWorkflows.Hosting;

/// <summary>Finds the directory that relative paths of the configuration start from.</summary>
internal static class ContentRoot
{
    private const string SettingsFile = "appsettings.json";

    /// <summary>
    /// The framework looks only in the current directory. A program started from a directory below it, or from anywhere by its full path, would
    /// silently work on another database: so the nearest directory upwards whose appsettings.json has our section counts, then that of the program.
    /// </summary>
    public static string Find(string currentDirectory, string programDirectory)
    {
        if (File.Exists(Path.Combine(currentDirectory, SettingsFile)))
            return currentDirectory;
        for (var above = Directory.GetParent(currentDirectory); above is not null; above = above.Parent)
            if (HasOurSection(above.FullName))
                return above.FullName;
        return HasOurSection(programDirectory) ? programDirectory : currentDirectory;
    }

    /// <summary>Adds the settings of a directory that the framework did not look in, below everything that it did read.</summary>
    public static void AddSettings(IConfigurationBuilder configuration, string directory, string environment)
    {
        var files = new[] { SettingsFile, $"appsettings.{environment}.json" };
        for (var i = 0; i < files.Length; i++)
        {
            var source = new JsonConfigurationSource { Path = Path.Combine(directory, files[i]), Optional = true };
            source.ResolveFileProvider();
            configuration.Sources.Insert(i, source);
        }
    }

    private static bool HasOurSection(string directory)
    {
        var file = Path.Combine(directory, SettingsFile);
        try
        {
            return File.Exists(file) && new ConfigurationBuilder().AddJsonFile(file).Build().GetSection(AiWorkflowsOptions.SectionName).Exists();
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
