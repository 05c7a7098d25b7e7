using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.FileProviders;

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

    /// <summary>
    /// Reads what is there once, without watching it: the framework watches every directory below the content root for changes of appsettings.json,
    /// which may be a whole home directory, and no setting of ours can change while a host runs.
    /// </summary>
    public static void ReadOnce(WebApplicationBuilder builder)
    {
        var sources = builder.Configuration.Sources;
        var watching = builder.Environment.ContentRootFileProvider;
        builder.Environment.ContentRootFileProvider = new PhysicalFileProvider(builder.Environment.ContentRootPath);
        foreach (var source in sources)
            if (source is FileConfigurationSource file)
            {
                file.ReloadOnChange = false;
                if (ReferenceEquals(file.FileProvider, watching))
                    file.FileProvider = builder.Environment.ContentRootFileProvider;
            }
            else if (source is CommandLineConfigurationSource arguments)
                arguments.Args = HostArguments.OnlySettings(arguments.Args);
        // The sources are read again whenever their list changes.
        sources.Add(new MemoryConfigurationSource());
        (watching as IDisposable)?.Dispose();
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
