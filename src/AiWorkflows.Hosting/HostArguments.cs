namespace AiWorkflows.Hosting;

/// <summary>Tells settings on the command line (<c>--AiWorkflows:Engine=Sqlite</c>, <c>--urls</c>), which the configuration has read, from commands and their options.</summary>
internal static class HostArguments
{
    /// <summary>Settings of ASP.NET Core that people give on the command line.</summary>
    private static readonly string[] Framework = ["urls", "http_ports", "https_ports", "environment", "contentRoot"];

    public static string[] WithoutSettings(IEnumerable<string> args) => Split(args).Commands;

    /// <summary>What the configuration has to read: given everything, it would take the word after a flag for the flag's value, a setting included.</summary>
    public static string[] OnlySettings(IEnumerable<string> args) => Split(args).Settings;

    private static (string[] Commands, string[] Settings) Split(IEnumerable<string> args)
    {
        var (commands, settings) = (new List<string>(), new List<string>());
        var isValue = false;
        foreach (var arg in args)
        {
            var isSetting = !isValue && IsSetting(arg);
            (isSetting || isValue ? settings : commands).Add(arg);
            isValue = isSetting && !arg.Contains('=');
        }
        return ([.. commands], [.. settings]);
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
