using System.Data.Common;
using System.Diagnostics;
using AiWorkflows.Storage;
using AiWorkflows.Storage.SqlServer;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.SqlServer.Tests.Proof;

/// <summary>Writes down every template that reaches it, and goes no further: nothing is executed.</summary>
internal sealed class RecordingDatabase : StoreDatabase
{
    private readonly List<(string Where, string Template)> _recorded = [];
    private bool _goesOn;

    public IReadOnlyList<(string Where, string Template)> Recorded => _recorded;

    public override string Engine => "sqlserver";

    public override string Location => "nowhere";

    public override string Sql(string template)
    {
        _recorded.Add((Caller(), template));
        return _goesOn ? base.Sql(template) : throw new NotExecutedException();
    }

    public override string SqlText(string template) => Sql(template);

    /// <summary>The statement in the engine's own words.</summary>
    public string Rendered(string template) => base.Sql(template);

    /// <summary>Calls what makes text and executes nothing.</summary>
    public void Record(Action call)
    {
        _goesOn = true;
        call();
        _goesOn = false;
    }

    /// <summary>Calls a method of the stores for the template that it composes.</summary>
    public async Task RecordAsync(Func<Task> call)
    {
        var before = _recorded.Count;
        try
        {
            await call();
        }
        catch (NotExecutedException)
        {
        }
        if (_recorded.Count == before)
            throw new InvalidOperationException("The call has reached no statement.");
    }

    public override Task<DbConnection> OpenReadAsync(CancellationToken ct) => Task.FromResult<DbConnection>(new SqliteConnection());

    public override async Task<T> WriteAsync<T>(Func<WriteTransaction, Task<T>> work, CancellationToken ct, bool durable = true) =>
        await work(new WriteTransaction(this, new SqliteConnection(), null!, ct));

    public override Task<long> ChangeTokenAsync(CancellationToken ct) => throw new NotSupportedException();

    public override Task BackupAsync(string file, CancellationToken ct) => throw new NotSupportedException();

    public override Task<SqlResult> QueryAsync(string sql, CancellationToken ct) => throw new NotSupportedException();

    public override Task<IReadOnlyList<DatabaseCheck>> CheckAsync(CancellationToken ct) => throw new NotSupportedException();

    public override AiWorkflowsException? Explain(Exception error) => null;

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected override string Render(string name, string argument) => SqlServerDialect.Render(name, argument);

    private static string Caller() => string.Join(" < ", new StackTrace().GetFrames()
        .Select(f => f.GetMethod()).Where(m => m?.DeclaringType is { } t && t.Assembly == typeof(StoreDatabase).Assembly && t != typeof(StoreDatabase) && t != typeof(WriteTransaction))
        .Select(m => CompiledTexts.Written(m!.DeclaringType!.FullName!.Replace('+', '.')[(m.DeclaringType.Namespace!.Length + 1)..], m.Name))
        .Where(n => !n.StartsWith("StoreDatabase.", StringComparison.Ordinal) && !n.StartsWith("WriteTransaction.", StringComparison.Ordinal)).Distinct());

    private sealed class NotExecutedException : Exception;
}
