using System.CommandLine;
using AiWorkflows.Hosting.Security;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>doctor</c>: what a person would check by hand when nothing works. Changes nothing but a file that it deletes again.</summary>
internal static class DoctorCommand
{
    private sealed record Check(string Name, string State, string Detail);

    public static Command Create(CliContext context) => Build.WithResult(context, "doctor", "Checks configuration, database, schema version, clock, permissions and who holds the database.", RunAsync);

    private static async Task<int> RunAsync(Invocation i)
    {
        var settings = i.Context.Get<HostSettings>();
        var checks = new List<Check>
        {
            await TryAsync("configuration", () => ConfigurationAsync(settings)),
            await TryAsync("definitions", () => Done(Definitions(i.Context.Catalog))),
            await TryAsync("data directory", () => Done(Writable(settings.DataDirectory))),
            await TryAsync("disk", () => Done(Disk(settings.DataDirectory))),
        };
        if (checks[0].State == Ok)
        {
            checks.Add(await TryAsync("schema", () => Done(Schema(i.Context))));
            if (settings.Options.Engine == StoreEngine.SqlServer || File.Exists(settings.DatabasePath))
            {
                checks.AddRange(await DatabaseAsync(i));
                checks.Add(await TryAsync("clock", () => ClockAsync(i)));
                checks.Add(await TryAsync("hosts", () => HostsAsync(i)));
                checks.Add(await TryAsync("queues", () => QueuesAsync(i)));
                checks.Add(await TryAsync("sign-in", () => SignInAsync(i)));
            }
        }
        var healthy = checks.TrueForAll(c => c.State != Wrong);
        i.Output.List(checks, "", new("check", c => c.Name), new("state", c => c.State), new("", c => c.Detail));
        i.Output.Line(healthy ? "Everything is all right." : "Something is wrong: see above.");
        return healthy ? 0 : 1;
    }

    private const string Ok = "ok";
    private const string Note = "note";
    private const string Wrong = "wrong";

    private static async Task<Check> TryAsync(string name, Func<Task<(string State, string Detail)>> check)
    {
        try
        {
            var (state, detail) = await check();
            return new(name, state, detail);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return new(name, Wrong, e is AiWorkflowsException ? e.Message : Format.OneLine(e.Message, 300));
        }
    }

    private static Task<(string, string)> Done((string, string) result) => Task.FromResult(result);

    private static Task<(string, string)> ConfigurationAsync(HostSettings settings)
    {
        settings.ThrowIfWrong();
        return Done((Ok, $"engine {settings.Options.Engine}, {(settings.IsShared ? "" : $"database {settings.DatabasePath}, ")}settings below {settings.ContentRoot}, code {settings.CodeVersion}"));
    }

    private static (string, string) Definitions(Catalog catalog) => (Ok,
        $"{Format.Count(catalog.Workflows.Count, "workflow")}, {Format.Count(catalog.FeaturePipelines.Count, "feature pipeline")}, {Format.Count(catalog.Views.Count, "view")}, {Format.Count(catalog.Trainings.Count, "training pipeline")}, {Format.Count(catalog.Inferences.Count, "inference pipeline")}");

    private static (string, string) Writable(string directory)
    {
        var existing = directory;
        while (!Directory.Exists(existing))
            existing = Path.GetDirectoryName(existing) ?? throw new InvalidRequestException($"{directory} cannot be created: there is no such drive.");
        var probe = Path.Combine(existing, $".aiworkflows-{Guid.NewGuid():N}");
        try
        {
            File.WriteAllBytes(probe, [1]);
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (Wrong, $"{existing} cannot be written: {e.Message} Give this user the right, or set AiWorkflows:DataDirectory to another one.");
        }
        return (Ok, existing == directory ? $"{directory} can be written" : $"{directory} does not exist yet and can be created");
    }

    private static (string, string) Disk(string directory)
    {
        const long few = 1L << 30;
        var drive = DriveInfo.GetDrives().Where(d => directory.StartsWith(d.RootDirectory.FullName, StringComparison.Ordinal)).MaxBy(d => d.RootDirectory.FullName.Length);
        return drive is null ? (Note, "free space is not known")
            : (drive.AvailableFreeSpace < few ? Wrong : Ok, $"{Format.Bytes(drive.AvailableFreeSpace)} free{(drive.AvailableFreeSpace < few ? "; make room, a run may need more than that" : "")}");
    }

    private static (string, string) Schema(CliContext context)
    {
        var database = context.Get<StoreDatabase>();
        var pending = context.Get<Migrator>().Pending();
        return context.Get<HostSettings>().Options.Engine == StoreEngine.Sqlite && !File.Exists(database.Location) ? (Note, $"{database.Location} does not exist yet; the first command creates it")
            : pending.Count > 0 ? (Note, $"{Format.Count(pending.Count, "migration")} not applied yet ({string.Join(", ", pending.Select(p => p.Name))}); the next command does it, or `migrate`")
            : (Ok, "up to date");
    }

    private static async Task<IReadOnlyList<Check>> DatabaseAsync(Invocation i)
    {
        try
        {
            return [.. (await i.Context.Get<StoreDatabase>().CheckAsync(i.Ct)).Select(c => new Check(c.Name, c.State == CheckState.Ok ? Ok : c.State == CheckState.Note ? Note : Wrong, c.Detail))];
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return [await TryAsync("database", () => Task.FromException<(string, string)>(e))];
        }
    }

    private static async Task<(string, string)> ClockAsync(Invocation i)
    {
        var database = await i.Context.Get<StoreDatabase>().NowAsync(i.Ct);
        var system = i.Context.Services.GetRequiredService<TimeProvider>().GetUtcNow().UtcDateTime;
        var business = i.Context.Get<BusinessClock>().GetUtcNow().UtcDateTime;
        var skew = (database - TimeProvider.System.GetUtcNow().UtcDateTime).Duration();
        var text = $"business clock {Timestamps.Display(business)}{(i.Context.Get<HostSettings>().Options.Clock is null ? "" : ", set by AiWorkflows:Clock")}; system {system:yyyy-MM-dd HH:mm:ss}; database differs by {Format.Seconds(skew.TotalSeconds)}";
        return (skew > TimeSpan.FromSeconds(30) ? Wrong : Ok, text);
    }

    private static async Task<(string, string)> QueuesAsync(Invocation i)
    {
        if (i.Context.Get<Migrator>().IsEmpty())
            return (Ok, "nothing waits");
        if (i.Context.Get<Migrator>().Pending().Count > 0)
            return (Note, "not looked at before the migrations are applied");
        var ledger = i.Context.Get<ILedger>();
        var waiting = await ledger.QueuesAsync(i.Ct);
        var unserved = (await LiveHosts.ReadAsync(ledger, i.Ct)).Unserved(waiting);
        return unserved.Count > 0 ? (Wrong, string.Join(" ", unserved.Select(LiveHosts.Describe)))
            : (Ok, waiting.Count == 0 ? "nothing waits" : string.Join(", ", waiting.Select(q => $"{Format.Count(q.Waiting, "step")} in {q.Queue}, the oldest for {Format.Seconds(q.Oldest.TotalSeconds)}")));
    }

    private static async Task<(string, string)> SignInAsync(Invocation i)
    {
        if (i.Context.Get<Migrator>().Pending().Count > 0)
            return (Note, "not looked at before the migrations are applied");
        var (access, keys) = (i.Context.Get<AccessState>(), i.Context.Get<KeyDirectory>());
        await access.RefreshAsync(i.Ct);
        var schemes = await access.SchemesAsync();
        if (access.IsOpen)
            return (Ok, "nobody has to, so only this machine's user can use dashboard and API; `keys create` changes both");
        var active = keys.Active;
        var text = $"everybody has to: {Format.Count(active.Count, "key")} in force, {Format.Count(active.Count(k => k.Role == Roles.Operator))} of an operator{(schemes.Count > 0 ? $"; {string.Join(", ", schemes.Select(s => s.Name))}" : "")}";
        return active.Count == 0 && schemes.Count == 0 ? (Note, $"{text}; nobody can, until `keys create` makes one") : (Ok, text);
    }

    private static async Task<(string, string)> HostsAsync(Invocation i)
    {
        if (i.Context.Get<Migrator>().IsEmpty())
            return (Ok, "no host has been here yet");
        if (i.Context.Get<Migrator>().Pending().Count > 0)
            return (Note, "not looked at before the migrations are applied");
        var hosts = await i.Context.Get<ILedger>().HostsAsync(i.Ct);
        return hosts.Count == 0 ? (Ok, "no host is running")
            : (Ok, string.Join("; ", hosts.Select(h => $"{h.Host} ({h.Kind}, process {h.ProcessId}{(h.Url is { } url ? $", {url}" : "")}), last seen {h.LastSeen:yyyy-MM-dd HH:mm:ss}")));
    }
}
