using System.Reflection;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Tests.Storage;

/// <summary>Errors as SQL Server's client throws them, without a server: for what a server at hand cannot be brought to say.</summary>
internal static class MadeSqlException
{
    private const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.NonPublic;

    public static SqlException Of(int number, string message, byte severity = 14, Exception? inner = null)
    {
        var constructor = typeof(SqlError).GetConstructors(Hidden).OrderBy(c => c.GetParameters().Length).First(c => c.GetParameters().Any(p => p.Name == "infoNumber"));
        var error = constructor.Invoke([.. constructor.GetParameters().Select(p => p.Name switch
        {
            "infoNumber" => number,
            "errorState" => (byte)1,
            "errorClass" => severity,
            "server" => "db.example",
            "errorMessage" => message,
            "procedure" => "",
            _ => p.HasDefaultValue ? p.DefaultValue : p.ParameterType.IsValueType ? Activator.CreateInstance(p.ParameterType) : null,
        })]);
        var errors = Activator.CreateInstance(typeof(SqlErrorCollection), nonPublic: true)!;
        typeof(SqlErrorCollection).GetMethod("Add", Hidden)!.Invoke(errors, [error]);
        return (SqlException)typeof(SqlException).GetConstructors(Hidden).Single(c => c.GetParameters().Length == 4).Invoke([message, errors, inner, Guid.Empty]);
    }
}
