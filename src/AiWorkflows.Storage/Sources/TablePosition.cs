using System.Data;
using System.Data.Common;
using System.Globalization;

namespace AiWorkflows.Storage.Sources;

/// <summary>Where a table was read up to: a whole number, or a row version as hexadecimal digits.</summary>
internal static class TablePosition
{
    private const string RowVersion = "0x";

    /// <exception cref="StageFailedException">The column holds neither.</exception>
    public static string Of(object value, string column) => value switch
    {
        byte[] { Length: 8 } version => RowVersion + Convert.ToHexString(version),
        long or int or short or byte => Convert.ToInt64(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture),
        _ => throw new StageFailedException($"Column {column} holds {(value is DBNull ? "nothing" : value.GetType().Name)}; a table is read by whole numbers that grow, or by a rowversion."),
    };

    public static DbParameter Parameter(DbCommand command, string name, string position)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        if (position.StartsWith(RowVersion, StringComparison.Ordinal))
            (parameter.DbType, parameter.Value) = (DbType.Binary, Convert.FromHexString(position[RowVersion.Length..]));
        else
            (parameter.DbType, parameter.Value) = (DbType.Int64, long.Parse(position, CultureInfo.InvariantCulture));
        return parameter;
    }
}
