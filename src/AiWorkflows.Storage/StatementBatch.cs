using Dapper;

namespace AiWorkflows.Storage;

/// <summary>
/// Statements of one transaction that are all known before it begins, so that an engine can send them with their COMMIT at once: what one of them finds goes to the
/// later ones under a name, and a guard that does not hold rolls everything back. A frozen process then holds no lock, for between its statements it is not asked.
/// </summary>
internal sealed class StatementBatch
{
    private readonly List<BatchStep> _steps = [];

    public IReadOnlyList<BatchStep> Steps => _steps;

    public void Do(string template, object parameters) => _steps.Add(new(BatchStepKind.Do, template, [parameters]));

    /// <summary>Inserts rows; the statement ends with VALUES and a parenthesis.</summary>
    public void PutRows(string template, IReadOnlyList<object> rows)
    {
        if (rows.Count > 0)
            _steps.Add(new(BatchStepKind.PutRows, template, rows));
    }

    /// <summary>Inserts one row and keeps its generated id under a name.</summary>
    /// <param name="template">With <c>{inserted:id}</c> and <c>{returning:id}</c>.</param>
    public void PutRow(string name, string template, object row) => _steps.Add(BatchStep.Finding<long>(BatchStepKind.PutRow, name, template, row));

    /// <summary>Changes exactly one row, or everything is rolled back.</summary>
    public void Must(string template, object parameters, string otherwise) => _steps.Add(new(BatchStepKind.Must, template, [parameters], otherwise));

    /// <summary>Counts no rows, or everything is rolled back.</summary>
    public void Never(string query, object parameters, string otherwise) => _steps.Add(new(BatchStepKind.Never, query, [parameters], otherwise));

    /// <summary>Keeps the one value of a query under a name.</summary>
    public void Find<T>(string name, string query, object? parameters = null) => _steps.Add(BatchStep.Finding<T>(BatchStepKind.Find, name, query, parameters ?? new { }));
}

internal enum BatchStepKind { Do, PutRows, PutRow, Must, Never, Find }

/// <param name="Name">What is found is called so; or why everything was rolled back.</param>
internal sealed record BatchStep(BatchStepKind Kind, string Template, IReadOnlyList<object> Rows, string Name = "")
{
    /// <summary>The type of what is found.</summary>
    public Type? Type { get; private init; }

    /// <summary>Reads what is found, where statements are sent one by one.</summary>
    public Func<WriteTransaction, object, Task<object?>>? Read { get; private init; }

    public static BatchStep Finding<T>(BatchStepKind kind, string name, string template, object parameters) => new(kind, template, [parameters], name)
    {
        Type = Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T),
        Read = async (tx, all) => await tx.ScalarAsync<T>(template, all),
    };

    /// <summary>Sends this statement alone; false when its guard does not hold.</summary>
    public async Task<bool> ExecuteAsync(WriteTransaction tx, Dictionary<string, object?> found)
    {
        switch (Kind)
        {
            case BatchStepKind.Must:
                return await tx.ExecuteAsync(Template, With(Rows[0], found)) == 1;
            case BatchStepKind.Never:
                return await tx.ScalarAsync<long>(Template, With(Rows[0], found)) == 0;
            case BatchStepKind.Find or BatchStepKind.PutRow:
                found[Name] = await Read!(tx, With(Rows[0], found));
                return true;
            default:
                foreach (var row in Rows)
                    await tx.ExecuteAsync(Template, With(row, found));
                return true;
        }
    }

    private static object With(object parameters, Dictionary<string, object?> found)
    {
        if (found.Count == 0)
            return parameters;
        var all = new DynamicParameters(parameters);
        foreach (var (name, value) in found)
            if (parameters.GetType().GetProperty(name) is null)
                all.Add(name, value);
        return all;
    }
}

/// <summary>What a batch came to.</summary>
/// <param name="Stopped">The guard that did not hold, and then nothing was done; null when everything was committed.</param>
internal sealed record BatchOutcome(string? Stopped, IReadOnlyDictionary<string, object?> Found)
{
    /// <summary>What was found under this name; the default value where nothing was.</summary>
    public T? Get<T>(string name) => Found.GetValueOrDefault(name) is T value ? value : default;
}
