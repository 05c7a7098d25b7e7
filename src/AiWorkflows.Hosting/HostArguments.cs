namespace AiWorkflows.Hosting;

/// <summary>Tells settings on the command line (<c>--AiWorkflows:Engine=Sqlite</c>), which the configuration has read, from commands and their options.</summary>
internal static class HostArguments
{
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

    // A colon in the key is the configuration's way to write a section; no option of a command has one.
    private static bool IsSetting(string arg) =>
        arg.StartsWith("--", StringComparison.Ordinal) && arg.AsSpan(2).IndexOfAny(':', '=') is > 0 and var at && arg[at + 2] == ':';
}
