using System.Globalization;
using System.Text;
using AiWorkflows.Features;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>
/// Look-ups by key in one round trip: the clock and everything that is looked for travel together, and the results come back in the same order. Nothing blocks a thread
/// meanwhile. The clock is read first, so what follows has at least all that was published under it.
/// </summary>
internal sealed class SqlServerKeyReader(SqlServerDatabase database) : IKeyReader
{
    /// <summary>Of one look-up. Nearly always the newest row counts; where it does not, more of them are asked for.</summary>
    private const int FirstRows = 8;

    private const int Growth = 64;

    /// <summary>Of one round trip: the server takes at most 2,100 parameters.</summary>
    private const int MostParameters = 2000;

    public async ValueTask SeekAsync(IReadOnlyList<KeySeek> seeks, Func<long, CancellationToken, ValueTask>? fix, CancellationToken ct)
    {
        var left = seeks;
        for (var rows = FirstRows; left.Count > 0 || fix is not null; rows *= Growth)
        {
            var cut = new List<KeySeek>();
            for (var next = 0; next < left.Count || fix is not null; fix = null)
            {
                var trip = new List<KeySeek>();
                for (var parameters = 0; next < left.Count && (parameters += left[next].Keys.Count + 2) < MostParameters; next++)
                    trip.Add(left[next]);
                cut.AddRange(await database.RetryAsync(() => SendAsync(trip, rows, fix, ct), retryDuplicates: false, ct));
            }
            left = cut;
        }
    }

    public void Dispose() { }

    /// <summary>The statements of one round trip. Parameters: @rows, and for look-up i @s{i}key0, @s{i}key1, …, @s{i}from, @s{i}to.</summary>
    public static string Text(IReadOnlyList<KeySeek> seeks, bool withClock)
    {
        var text = new StringBuilder(withClock ? "SELECT seq FROM feature_store.publication_clock;\n" : "");
        for (var i = 0; i < seeks.Count; i++)
            text.Append(SqlServerGroupTable.SeekNewest(seeks[i].Group, seeks[i].Columns, Prefix(i))).Append(";\n");
        return text.ToString();
    }

    /// <summary>Makes one round trip.</summary>
    /// <returns>Look-ups that were cut off before they had found what counts.</returns>
    private async Task<IReadOnlyList<KeySeek>> SendAsync(IReadOnlyList<KeySeek> seeks, int rows, Func<long, CancellationToken, ValueTask>? fix, CancellationToken ct)
    {
        await using var connection = await database.OpenAsync(ct);
        await using var command = new SqlCommand(Text(seeks, fix is not null), connection);
        Bind(command, seeks, rows);
        database.Activity.Executed();
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (fix is not null)
        {
            await reader.ReadAsync(ct);
            await fix(reader.GetInt64(0), ct);
            await reader.NextResultAsync(ct);
        }
        var cut = new List<KeySeek>();
        foreach (var seek in seeks)
        {
            var found = new SqlServerRows(seek.Columns);
            while (await reader.ReadAsync(ct))
                found.Add(reader);
            seek.Read(found);
            if (found.Count == rows && found.IsAtEnd)
                cut.Add(seek);
            await reader.NextResultAsync(ct);
        }
        return cut;
    }

    private static void Bind(SqlCommand command, IReadOnlyList<KeySeek> seeks, int rows)
    {
        command.Parameters.Add(new SqlParameter("@rows", System.Data.SqlDbType.Int) { Value = rows });
        for (var i = 0; i < seeks.Count; i++)
        {
            var (group, keys, prefix) = (seeks[i].Group, seeks[i].Keys, Prefix(i));
            for (var k = 0; k < keys.Count; k++)
            {
                var (type, size) = SqlServerGroupTable.Parameter(group.Keys[k]);
                command.Parameters.Add(new SqlParameter($"@{prefix}key{k}", type, size) { Value = SqlServerCells.ToColumn(group.Keys[k], keys[k]) });
            }
            command.Parameters.Add(SqlServerCells.Time($"@{prefix}from", seeks[i].Window.From));
            command.Parameters.Add(SqlServerCells.Time($"@{prefix}to", seeks[i].Window.To));
        }
    }

    private static string Prefix(int seek) => "s" + seek.ToString(CultureInfo.InvariantCulture);
}
