using System.Data.Common;
using AiWorkflows.Storage;

namespace AiWorkflows.Tests.Compliance;

/// <summary>A way to a database on which, once, the answer to a COMMIT is lost: after the database has received it, or before.</summary>
internal sealed class FlakyDatabase(StoreDatabase inner) : StoreDatabase
{
    private int _lose = -1;
    private bool _afterwards;

    /// <summary>Loses the next answer.</summary>
    /// <param name="afterwards">Whether the database has committed.</param>
    public void LoseAnswer(bool afterwards) => (_lose, _afterwards) = (1, afterwards);

    public override string Engine => inner.Engine;

    public override string Location => inner.Location;

    public override string Sql(string template) => inner.Sql(template);

    public override Task<DbConnection> OpenReadAsync(CancellationToken ct) => inner.OpenReadAsync(ct);

    public override Task<T> WriteAsync<T>(Func<WriteTransaction, Task<T>> work, CancellationToken ct, bool durable = true) => AnswerAsync(() => inner.WriteAsync(work, ct, durable));

    public override Task<BatchOutcome> RunAsync(StatementBatch batch, CancellationToken ct, bool durable = true) => AnswerAsync(() => inner.RunAsync(batch, ct, durable));

    public override Task<long> ChangeTokenAsync(CancellationToken ct) => inner.ChangeTokenAsync(ct);

    public override Task BackupAsync(string file, CancellationToken ct) => inner.BackupAsync(file, ct);

    public override Task<SqlResult> QueryAsync(string sql, CancellationToken ct) => inner.QueryAsync(sql, ct);

    public override Task<IReadOnlyList<DatabaseCheck>> CheckAsync(CancellationToken ct) => inner.CheckAsync(ct);

    public override AiWorkflowsException? Explain(Exception error) => inner.Explain(error);

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected override string Render(string name, string argument) => throw new NotSupportedException();

    private async Task<T> AnswerAsync<T>(Func<Task<T>> work)
    {
        var lose = Interlocked.Decrement(ref _lose) == 0;
        if (!lose || _afterwards)
        {
            var answer = await work();
            if (!lose)
                return answer;
        }
        throw new CommitUnknownException(Location, new IOException("the answer was lost"));
    }
}
