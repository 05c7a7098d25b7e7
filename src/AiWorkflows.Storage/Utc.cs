using System.Data;
using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dapper;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Storage;

/// <summary>
/// An instant on its way to or from a column: microseconds since 1970 where the engine has no type for it, <c>datetime2(6)</c> where it has. In JSON: ISO-8601
/// text with a Z. A type of its own, because what Dapper does with DateTime is the affair of the whole process.
/// </summary>
[JsonConverter(typeof(UtcJsonConverter))]
internal readonly record struct Utc(DateTime Value)
{
    public static Utc FromMicros(long micros) => new(Timestamps.FromMicros(micros));

    public static implicit operator Utc(DateTime time) => new(time);

    public static implicit operator DateTime(Utc time) => time.Value;

    /// <summary>The instant in a column of a reader, without boxing it.</summary>
    public static Utc Read(DbDataReader reader, int ordinal) =>
        reader.GetFieldType(ordinal) == typeof(DateTime) ? new(DateTime.SpecifyKind(reader.GetDateTime(ordinal), DateTimeKind.Utc)) : FromMicros(reader.GetInt64(ordinal));

    public static bool operator <(Utc left, Utc right) => left.Value < right.Value;

    public static bool operator >(Utc left, Utc right) => left.Value > right.Value;

    public static bool operator <=(Utc left, Utc right) => left.Value <= right.Value;

    public static bool operator >=(Utc left, Utc right) => left.Value >= right.Value;

    public static Utc Later(Utc left, Utc right) => left > right ? left : right;

    public static Utc? From(DateTime? time) => time is { } value ? new Utc(value) : null;

    public override string ToString() => Timestamps.Display(Value);
}

internal sealed class UtcJsonConverter : JsonConverter<Utc>
{
    public override Utc Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetDateTime().ToUniversalTime());

    public override void Write(Utf8JsonWriter writer, Utc value, JsonSerializerOptions options) => writer.WriteStringValue(Timestamps.Iso(value.Value));
}

/// <summary>Which engine a parameter belongs to decides how the instant is written, and what a column holds how it is read.</summary>
internal sealed class UtcHandler : SqlMapper.TypeHandler<Utc>
{
    public override Utc Parse(object value) => value is DateTime time ? new(DateTime.SpecifyKind(time, DateTimeKind.Utc)) : Utc.FromMicros((long)value);

    public override void SetValue(IDbDataParameter parameter, Utc value)
    {
        if (parameter is SqlParameter typed)
            // The column's own type: a finer one would be compared row by row instead of along the index.
            (typed.SqlDbType, typed.Scale, typed.Value) = (SqlDbType.DateTime2, 6, new DateTime(value.Value.Ticks / 10 * 10, DateTimeKind.Utc));
        else
            parameter.Value = Timestamps.ToMicros(value.Value);
    }
}
