using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>A string of a compiled assembly.</summary>
/// <param name="Where">Type and method as they are written, or type and constant.</param>
/// <param name="IsJoined">More text may be put behind or before it when the program runs.</param>
internal sealed record Literal(string Where, string Text, bool IsJoined, bool IsConstant);

/// <summary>Reads every string that an assembly's methods load, and its constants, from the compiled code: nothing written in it can be overlooked.</summary>
internal static partial class CompiledTexts
{
    /// <param name="includes">Decides by the namespace.</param>
    public static IReadOnlyList<Literal> Of(string assemblyFile, Func<string, bool> includes)
    {
        using var file = new PEReader(ImmutableArray.Create(File.ReadAllBytes(assemblyFile)));
        var metadata = file.GetMetadataReader();
        var found = new List<Literal>();
        foreach (var typeHandle in metadata.TypeDefinitions)
        {
            var type = metadata.GetTypeDefinition(typeHandle);
            var (space, typeName) = NameOf(metadata, type);
            if (!includes(space))
                continue;
            foreach (var handle in type.GetMethods())
            {
                var method = metadata.GetMethodDefinition(handle);
                if (method.RelativeVirtualAddress == 0)
                    continue;
                var where = Written(typeName, metadata.GetString(method.Name));
                found.AddRange(new MethodReader(metadata).Read(file.GetMethodBody(method.RelativeVirtualAddress).GetILBytes()!).Select(t => new Literal(where, t.Text, t.IsJoined, false)));
            }
            foreach (var field in type.GetFields().Select(metadata.GetFieldDefinition))
                if (!field.GetDefaultValue().IsNil && metadata.GetConstant(field.GetDefaultValue()) is { TypeCode: ConstantTypeCode.String } constant
                    && metadata.GetBlobReader(constant.Value) is var blob && blob.ReadConstant(ConstantTypeCode.String) is string text)
                    found.Add(new(Written(typeName, metadata.GetString(field.Name)), text, false, true));
        }
        return found;
    }

    /// <summary>Whether this text is a statement, or part of one.</summary>
    public static bool LooksLikeSql(string text) => !text.Contains('…', StringComparison.Ordinal) && (Marked().IsMatch(text) || Statement().IsMatch(text) || Clause().IsMatch(text));

    /// <summary>Whether this text begins as a statement does.</summary>
    public static bool BeginsLikeStatement(string text) => Statement().IsMatch(text) || text.StartsWith("{create_", StringComparison.Ordinal);

    private static (string Namespace, string Name) NameOf(MetadataReader metadata, TypeDefinition type)
    {
        var name = metadata.GetString(type.Name);
        if (type.GetDeclaringType() is { IsNil: false } outer)
        {
            var (space, outerName) = NameOf(metadata, metadata.GetTypeDefinition(outer));
            return (space, $"{outerName}.{name}");
        }
        return (metadata.GetString(type.Namespace), name);
    }

    /// <summary>The compiler's <c>Ledger.&lt;&gt;c__DisplayClass3.&lt;ClaimAsync&gt;b__0</c> is the programmer's <c>Ledger.ClaimAsync</c>.</summary>
    public static string Written(string type, string member)
    {
        var parts = $"{type}.{member}".Split('.').ToArray();
        var names = new List<string>();
        foreach (var part in parts)
        {
            var inner = part.StartsWith('<') ? part[1..Math.Max(1, part.IndexOf('>', StringComparison.Ordinal))].TrimStart('<') : part;
            if (inner.Length > 0 && inner != "MoveNext" && inner != "ctor" && (names.Count == 0 || names[^1] != inner))
                names.Add(inner);
        }
        return string.Join('.', names);
    }

    /// <summary>Whether this is the name of a table and nothing else.</summary>
    public static bool IsName(string text) => Name().IsMatch(text);

    [GeneratedRegex(@"^\{[a-z_]+\.[a-z_]+\}$")]
    private static partial Regex Name();

    [GeneratedRegex(@"\{(now|[a-z_]+\.[a-z_0-9]+|(in|ago|tick|inserted|returning|limit)(:[^}]*)?|create_[a-z_]+)\}")]
    private static partial Regex Marked();

    [GeneratedRegex(@"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH \w+ AS|MERGE|CREATE|ALTER|DROP|TRUNCATE|EXEC|EXECUTE|DECLARE|BEGIN|IF|SET|PRAGMA|VACUUM)\s")]
    private static partial Regex Statement();

    [GeneratedRegex(@"(^|\s|\()(SELECT|FROM|WHERE|AND|OR|ORDER BY|GROUP BY|JOIN|VALUES|UNION|EXISTS|HAVING|OUTPUT)\s.*\S|\sON\s+\w+\.\w|\s(=|<|>|<=|>=|<>|LIKE|IN)\s*\(?@\w", RegexOptions.Singleline)]
    private static partial Regex Clause();
}
