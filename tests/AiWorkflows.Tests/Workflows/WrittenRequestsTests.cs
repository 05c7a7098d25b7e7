using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Workflows;

/// <summary>Runs that somebody requests by writing a row into the database.</summary>
public sealed class WrittenRequestsTests
{
    [Fact]
    public async Task A_request_for_a_window_becomes_a_run_within_two_seconds()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var id = await WriteAsync(file, "w", Define.Day(5), Define.Day(7));
        var answer = await AnswerAsync(file, id);

        answer.Outcome.ShouldBe("requested");
        var run = (await host.Ledger.FindRunAsync(answer.RunId!.Value, default))!;
        (run.Window, run.TriggeredBy, run.RequestedBy).ShouldBe((new Window(Define.Day(5), Define.Day(7)), "sql", "the DBA"));
        (await host.EndAsync(run.RunId)).Run.State.ShouldBe("succeeded");
    }

    [Fact]
    public async Task A_request_without_a_window_is_for_what_is_owed_and_then_for_nothing()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var first = await AnswerAsync(file, await WriteAsync(file, "w"));
        first.Outcome.ShouldBe("requested");
        (await host.EndAsync(first.RunId!.Value)).Run.Window.ShouldBe(new Window(Define.Day(1), Define.Day(5)));
        // What else is owed follows by itself.
        (await host.EndAsync(first.RunId!.Value + 1)).Run.Window.ShouldBe(new Window(Define.Day(5), Define.Day(11)));

        var second = await AnswerAsync(file, await WriteAsync(file, "w"));
        (second.Outcome, second.RunId).ShouldBe(("nothing", null));
        second.Message!.ShouldContain("Nothing to do");
    }

    [Fact]
    public async Task A_window_off_the_grid_is_refused_with_the_reason()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var answer = await AnswerAsync(file, await WriteAsync(file, "w", Define.Day(5).AddHours(1), Define.Day(7)));
        (answer.Outcome, answer.RunId).ShouldBe(("refused", null));
        answer.Message!.ShouldContain("2001-01-05");
    }

    [Fact]
    public async Task A_request_that_was_written_while_no_host_ran_is_taken_up_at_the_start()
    {
        await using var file = await SqliteFile.MigratedAsync();
        var id = await WriteAsync(file, "w", Define.Day(5), Define.Day(7));
        await using var host = await EngineHost.StartAsync(file);
        (await AnswerAsync(file, id)).Outcome.ShouldBe("requested");
    }

    [Fact]
    public async Task The_same_request_taken_twice_is_one_run_and_keeps_its_first_answer()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var id = await WriteAsync(file, "w", Define.Day(5), Define.Day(7));
        var answer = await AnswerAsync(file, id);
        var again = await host.Engine.RequestAsync(new("w", new Window(Define.Day(5), Define.Day(7)), "the DBA", "sql", DedupKey: $"sql:{id}"), default);
        again.RunId.ShouldBe(answer.RunId);
        await host.Ledger.AnswerRequestAsync(id, "open", 99, "too late", default);
        (await AnswerAsync(file, id)).ShouldBe(answer);
    }

    [Fact]
    public async Task A_workflow_that_this_host_does_not_know_is_left_to_another()
    {
        await using var file = await SqliteFile.MigratedAsync();
        var id = await WriteAsync(file, "elsewhere");
        await using var host = await EngineHost.StartAsync(file);
        (await host.Ledger.WrittenRequestsAsync(default)).ShouldHaveSingleItem().RequestId.ShouldBe(id);
    }

    private static Task<long> WriteAsync(SqliteFile file, string workflow, DateTime? from = null, DateTime? to = null) => file.Database.WriteAsync(async tx => await tx.ScalarAsync<long>("""
        INSERT INTO {workflows.run_requests} (workflow, window_from, window_to, requested_by, requested_at) VALUES (@workflow, @from, @to, 'the DBA', {now}) {returning:request_id}
        """, new { workflow, from = from is { } f ? Timestamps.ToMicros(f) : (long?)null, to = to is { } t ? Timestamps.ToMicros(t) : (long?)null }), default);

    private static async Task<Answer> AnswerAsync(SqliteFile file, long requestId)
    {
        using var longest = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            if (await file.Database.ReadFirstAsync<Answer>("SELECT outcome, run_id, message FROM {workflows.run_requests} WHERE request_id = @requestId AND handled_at IS NOT NULL", new { requestId }, default) is { } answer)
                return answer;
            await Task.Delay(20, longest.Token);
        }
    }

    private sealed record Answer
    {
        public string? Outcome { get; init; }

        public long? RunId { get; init; }

        public string? Message { get; init; }
    }
}
