using System.Reflection;
using System.Runtime.CompilerServices;

namespace AiWorkflows.Tests.Architecture;

/// <summary>Dependencies point one way: between projects, and between the folders of the core.</summary>
public class DependencyTests
{
    private static readonly Assembly Core = typeof(Window).Assembly;
    private static readonly Assembly Storage = Assembly.Load("AiWorkflows.Storage");
    private static readonly Assembly Hosting = Assembly.Load("AiWorkflows.Hosting");

    /// <summary>Lower layers first: a layer may use itself and those before it.</summary>
    private static readonly string[] Layers = ["Features", "Models", "Training", "Inference", "Monitoring", "Workflows"];

    [Fact]
    public void The_core_knows_no_SQL_no_Hangfire_and_no_ASP_NET() =>
        References(Core).ShouldNotContain(name => name.StartsWith("Hangfire") || name.StartsWith("Microsoft.AspNetCore") || name.StartsWith("Dapper")
            || name.StartsWith("Microsoft.Data") || name == "System.Data.Common" || name.StartsWith("SQLitePCL") || name.StartsWith("dbup") || name.StartsWith("AiWorkflows."));

    [Fact]
    public void Storage_knows_the_core_but_neither_Hangfire_nor_ASP_NET()
    {
        References(Storage).ShouldContain("AiWorkflows");
        References(Storage).ShouldNotContain(name => name.StartsWith("Hangfire") || name.StartsWith("Microsoft.AspNetCore") || name == "AiWorkflows.Hosting");
    }

    [Fact]
    public void Hosting_talks_to_databases_only_through_storage() =>
        References(Hosting).ShouldNotContain(name => name.StartsWith("Dapper") || name.StartsWith("Microsoft.Data") || name.StartsWith("SQLitePCL") || name.StartsWith("dbup"));

    [Fact]
    public void In_the_core_the_folders_depend_downwards_only()
    {
        var wrong = new List<string>();
        foreach (var type in Core.GetTypes().Where(t => LayerOf(t) >= 0))
            foreach (var used in TypesUsedBy(type).Where(u => u.Assembly == Core && LayerOf(u) > LayerOf(type)))
                wrong.Add($"{type.FullName} uses {used.FullName}");
        wrong.Distinct().Order().ShouldBeEmpty();
    }

    [Fact]
    public void SQL_text_lives_in_the_storage_project_only()
    {
        var root = RepositoryRoot();
        var statement = new System.Text.RegularExpressions.Regex(
            @"""[^""]*\b(SELECT\s+[\w*@(].*\bFROM\s+\w|INSERT\s+INTO\s|UPDATE\s+\{?\w+[.\w]*\}?\s+SET\s|DELETE\s+FROM\s|CREATE\s+TABLE\s)",
            System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(10));
        var found = new[] { "src/AiWorkflows", "src/AiWorkflows.Hosting", "src/FlightDelays" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}"))
            // The command line's hints show a user what to type.
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}Cli{Path.DirectorySeparatorChar}"))
            .SelectMany(file => File.ReadLines(file).Select((line, i) => (file, line, number: i + 1)))
            .Where(x => statement.IsMatch(x.line))
            .Select(x => $"{Path.GetRelativePath(root, x.file)}:{x.number}");
        found.ShouldBeEmpty();
    }

    internal static string RepositoryRoot([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));

    private static IEnumerable<string> References(Assembly assembly) => assembly.GetReferencedAssemblies().Select(a => a.Name!);

    /// <summary>A type of the root namespace belongs to the folder of its source; the public programming model is what users write, and each part of it stands in one folder.</summary>
    private static int LayerOf(Type type)
    {
        var ns = type.Namespace ?? "";
        return ns.StartsWith("AiWorkflows.", StringComparison.Ordinal) ? Array.IndexOf(Layers, ns["AiWorkflows.".Length..].Split('.')[0]) : -1;
    }

    private static IEnumerable<Type> TypesUsedBy(Type type)
    {
        const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var direct = new List<Type?> { type.BaseType };
        direct.AddRange(type.GetInterfaces());
        direct.AddRange(type.GetFields(All).Select(f => f.FieldType));
        foreach (var method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            direct.AddRange(method.GetParameters().Select(p => p.ParameterType));
            if (method is MethodInfo info)
                direct.Add(info.ReturnType);
            if (method.GetMethodBody() is not { } body)
                continue;
            direct.AddRange(body.LocalVariables.Select(v => v.LocalType));
            direct.AddRange(Called(method, body.GetILAsByteArray()!));
        }
        return direct.OfType<Type>().SelectMany(Flatten).Distinct();
    }

    /// <summary>Declaring types of everything that the method's IL names by a metadata token.</summary>
    private static IEnumerable<Type> Called(MethodBase method, byte[] il)
    {
        for (var i = 0; i + 5 <= il.Length; i++)
        {
            // call, callvirt, newobj, ldfld, ldsfld, stfld, castclass, isinst
            if (il[i] is not (0x28 or 0x6F or 0x73 or 0x7B or 0x7E or 0x7D or 0x74 or 0x75))
                continue;
            MemberInfo? member;
            try
            {
                member = method.Module.ResolveMember(BitConverter.ToInt32(il, i + 1),
                    method.DeclaringType?.IsGenericType == true ? method.DeclaringType.GetGenericArguments() : null,
                    method.IsGenericMethod ? method.GetGenericArguments() : null);
            }
            catch (Exception e) when (e is ArgumentException or BadImageFormatException)
            {
                continue;
            }
            if ((member as Type ?? member?.DeclaringType) is { } declaring)
                yield return declaring;
        }
    }

    private static IEnumerable<Type> Flatten(Type type)
    {
        if (type.HasElementType)
            return Flatten(type.GetElementType()!);
        return type.IsGenericType ? type.GetGenericArguments().SelectMany(Flatten).Append(type.GetGenericTypeDefinition()) : [type];
    }
}
