using AiWorkflows.Hosting.Cli;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;

namespace AiWorkflows.Tests.Cli;

/// <summary>Where the pipelines of the shop look for the file "closed".</summary>
public sealed record ShopFiles(string Directory, bool RefuseUnknown = false);

/// <summary>What a command has printed.</summary>
internal sealed record CliResult(int Code, string Out, string Error)
{
    public override string ToString() => $"exit code {Code}\n--- out\n{Out}\n--- error\n{Error}";
}

/// <summary>A host in a directory of its own; each command runs as a new process would, in this one.</summary>
internal sealed class ShopHost : IAsyncDisposable
{
    public ShopHost(string? copyOf = null)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("aiworkflows-cli-").FullName;
        if (copyOf is not null)
            foreach (var file in System.IO.Directory.EnumerateFiles(copyOf, "*", SearchOption.AllDirectories))
            {
                var target = Path.Combine(Directory, Path.GetRelativePath(copyOf, file));
                System.IO.Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }
    }

    public string Directory { get; }

    public string DataDirectory => Path.Combine(Directory, "data");

    public Dictionary<string, string?> Settings { get; } = [];

    /// <summary>Whether online inference refuses visits that it does not know.</summary>
    public bool RefuseUnknown { get; init; }

    /// <summary>Other workflows than the usual one.</summary>
    public Action<AiWorkflowsBuilder>? Define { get; init; }

    public Task<CliResult> RunAsync(params string[] args) => RunAsync(args, TestContext.Current.CancellationToken);

    public async Task<CliResult> RunAsync(string[] args, CancellationToken ct)
    {
        var console = new TextConsole();
        await using var app = Build(console);
        var code = await CommandLine.RunAsync(app, args, ct);
        return new(code, console.OutText, console.ErrorText);
    }

    /// <summary>Waits until a pipeline has written the file.</summary>
    public async Task WaitForAsync(string file)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!File.Exists(Path.Combine(Directory, file)))
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The application, for tests that need a second host at the same time.</summary>
    public WebApplication Build(ICliConsole console)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Directory });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AiWorkflows:DataDirectory"] = DataDirectory,
            ["AiWorkflows:Clock"] = "2024-02-10T00:00:00Z",
            ["Logging:LogLevel:Default"] = "None",
        });
        builder.Configuration.AddInMemoryCollection(Settings);
        builder.AddAiWorkflows(ai =>
        {
            ai.Services.AddSingleton(new ShopFiles(Directory, RefuseUnknown));
            ai.Services.AddSingleton(console);
            ai.Add<BuyView>();
            if (Define is not null)
            {
                Define(ai);
                return;
            }
            ai.Workflow("shop", w => w.Every("0 3 * * *")
                .Window(TimeSpan.FromDays(1), Till.Opening).WarmUp(Till.Opening.AddDays(30)).Until(Till.Opening.AddDays(40))
                .Stage<BuyScoring>().Stage<BuyTraining>().Stage<ShopSalesPipeline>().Stage<PurchasePipeline>().Stage<VisitPipeline>(maxAttempts: 1));
        });
        var app = builder.Build();
        app.MapAiWorkflows();
        return app;
    }

    public ValueTask DisposeAsync()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        return ValueTask.CompletedTask;
    }
}

/// <summary>Standard output and error as texts, as if piped.</summary>
internal sealed class TextConsole : ICliConsole
{
    public TextWriter Out { get; } = new StringWriter();

    public TextWriter Error { get; } = new StringWriter();

    public string OutText => Out.ToString()!;

    public string ErrorText => Error.ToString()!;

    public bool IsTerminal { get; init; }

    public IAnsiConsole Ansi
    {
        get
        {
            var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(Out) });
            console.Profile.Width = 160;
            return console;
        }
    }
}
