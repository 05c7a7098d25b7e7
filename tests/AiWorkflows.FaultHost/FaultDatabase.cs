using AiWorkflows.Storage;
using AiWorkflows.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.FaultHost;

/// <summary>The embedded engine, with points inside its transactions and a clock that may be wrong.</summary>
internal sealed class FaultDatabase(string path, Faults faults, TimeSpan clockOffset) : SqliteDatabase(path)
{
    public override string Sql(string template)
    {
        FaultStatements.Reach(faults, template);
        return base.Sql(template);
    }

    public override async Task<T> WriteRawAsync<T>(Func<SqliteConnection, T> work, CancellationToken ct, bool durable = false)
    {
        faults.Reach("before a chunk");
        var result = await base.WriteRawAsync(work, ct, durable);
        faults.Reach("after a chunk");
        return result;
    }

    protected override string Render(string name, string argument)
    {
        var rendered = base.Render(name, argument);
        var offset = (long)clockOffset.TotalMicroseconds;
        return name is "now" or "in" or "ago" && offset != 0 ? $"({rendered} + {offset})" : rendered;
    }
}
