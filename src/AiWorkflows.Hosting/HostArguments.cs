namespace AiWorkflows.Hosting;

/// <summary>Tells settings on the command line (<c>--AiWorkflows:Engine=Sqlite</c>, <c>--urls</c>), which the configuration has read, from commands and their options.</summary>
internal static class HostArguments
{
    /// <summary>Settings of ASP.NET Core that people give on the command line.</summary>
    private static readonly string[] Framework = ["urls", "http_ports", "https_ports", "environment", "contentRoot"];

    public static string[] WithoutSettings(string[] args)
    {
        var rest = new List<string>(args.Length);
        for (var i = 0; i < args.Length; i++)
            if (!IsSetting(args[i]))
                rest.Add(args[i]);
            else if (!args[i].Contains('='))
                i++;
        return [.. rest];
    }

    private static bool IsSetting(string arg)
    {
        if (!arg.StartsWith("--", StringComparison.Ordinal))
            return false;
        var end = arg.IndexOf('=', StringComparison.Ordinal);
        var key = end < 0 ? arg[2..] : arg[2..end];
        // A colon in the key is the configuration's way to write a section; no option of a command has one.
        return key.Contains(':') || Framework.Contains(key, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>The settings alone. The framework's own reader takes what follows a switch such as <c>--json</c> for its value, so a setting there would be lost.</summary>
    public static string[] Settings(string[] args)
    {
        var settings = new List<string>();
        for (var i = 0; i < args.Length; i++)
            if (IsSetting(args[i]))
            {
                settings.Add(args[i]);
                if (!args[i].Contains('=') && i + 1 < args.Length)
                    settings.Add(args[++i]);
            }
        return [.. settings];
    }
}
