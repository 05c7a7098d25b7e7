using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using AiWorkflows.Models;
using AiWorkflows.Tests.Cli;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Inference.Online;

/// <summary>The shop after its run, served over HTTP.</summary>
internal sealed class ServedShop : IAsyncDisposable
{
    private readonly TextConsole _console = new();
    private readonly ShopHost _shop;
    private readonly WebApplication _app;
    private readonly Task<int> _serving;

    private ServedShop(ShopHost shop, Dictionary<string, string?>? settings)
    {
        _shop = shop;
        _shop.Settings["AiWorkflows:Urls"] = "http://127.0.0.1:0";
        foreach (var (key, value) in settings ?? [])
            _shop.Settings[key] = value;
        _app = _shop.Build(_console);
        _serving = _app.RunAiWorkflowsAsync(["serve"]);
    }

    public HttpClient Http { get; private set; } = new();

    public IServiceProvider Services => _app.Services;

    public static Task<ServedShop> StartAsync(string finished, Dictionary<string, string?>? settings = null) => StartAsync(new ShopHost(copyOf: finished), settings);

    /// <summary>Serves a shop, which is disposed of with it.</summary>
    public static async Task<ServedShop> StartAsync(ShopHost host, Dictionary<string, string?>? settings = null)
    {
        var shop = new ServedShop(host, settings);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!shop._console.OutText.Contains("Scheduled:", StringComparison.Ordinal))
        {
            if (shop._serving.IsCompleted)
                throw new InvalidOperationException($"It did not serve: exit code {await shop._serving}, {shop._console.ErrorText}");
            await Task.Delay(10, patience.Token);
        }
        shop.Http = new HttpClient { BaseAddress = new Uri(shop._app.Urls.First()) };
        return shop;
    }

    public Task<(int Status, JsonElement Body)> PredictAsync(object body, string query = "") => SendAsync(JsonContent.Create(body), query);

    public Task<(int Status, JsonElement Body)> PredictRawAsync(string body, string mediaType = "application/json") => SendAsync(new StringContent(body, Encoding.UTF8, mediaType), "");

    public async Task<(int Status, JsonElement Body)> SendAsync(HttpContent content, string query, string model = "buy")
    {
        using var response = await Http.PostAsync($"/api/models/{model}/predictions{query}", content, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, JsonDocument.Parse(text).RootElement);
    }

    /// <summary>A command in a process beside the host.</summary>
    public Task<CliResult> CommandAsync(params string[] args) => _shop.RunAsync(args);

    /// <summary>A second version of the model, by a run that trains again; the champion stays the first one.</summary>
    /// <param name="day">What the new version knows ends with this day of the shop.</param>
    public async Task AddVersionAsync(int day = 40)
    {
        var (engine, ledger, ct) = (Services.GetRequiredService<RunEngine>(), Services.GetRequiredService<ILedger>(), TestContext.Current.CancellationToken);
        var run = await engine.RequestAsync(new("shop", new Window(Till.Opening.AddDays(day - 1), Till.Opening.AddDays(day)), "test", "manual"), ct);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while ((await ledger.FindRunAsync(run.RunId!.Value, ct))!.State is "requested" or "running")
            await Task.Delay(20, patience.Token);
        (await ledger.FindRunAsync(run.RunId!.Value, ct))!.State.ShouldBe("succeeded");
        await Services.GetRequiredService<IModelRegistry>().SetAliasAsync(new("buy", "champion", 1, "test", "as it was"), ct);
        await Task.Delay(TimeSpan.FromSeconds(1.5), ct);
    }

    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> row)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_shop.DataDirectory, "aiworkflows.db")};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(row(reader));
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        _app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await _serving.WaitAsync(TimeSpan.FromSeconds(30));
        Http.Dispose();
        await _shop.DisposeAsync();
    }
}

/// <summary>A finished shop to copy, and one that is served for tests that change nothing in it.</summary>
public sealed class OnlineShop : IAsyncLifetime
{
    private readonly FinishedShop _finished = new();

    internal string Directory => _finished.Host.Directory;

    internal ServedShop Served { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await _finished.InitializeAsync();
        Served = await ServedShop.StartAsync(Directory);
    }

    public async ValueTask DisposeAsync()
    {
        await Served.DisposeAsync();
        await _finished.DisposeAsync();
    }
}

/// <summary>A finished shop in a database on SQL Server, served by two hosts; skipped where there is no server.</summary>
internal sealed class SharedShop : IAsyncDisposable
{
    private readonly ShopHost _files = new();
    private readonly List<ServedShop> _hosts = [];

    public ServedShop First => _hosts[0];

    public ServedShop Second => _hosts[1];

    public static async Task<SharedShop> StartAsync()
    {
        var settings = new Dictionary<string, string?>
        {
            ["AiWorkflows:Engine"] = "SqlServer", ["AiWorkflows:ConnectionString"] = SqlServerTestDatabase.ConnectionString(await SqlServerTestDatabase.CreateAsync()),
        };
        var shop = new SharedShop();
        try
        {
            foreach (var (key, value) in settings)
                shop._files.Settings[key] = value;
            var run = await shop._files.RunAsync("run", "shop");
            run.Code.ShouldBe(0, run.ToString());
            for (var host = 0; host < 2; host++)
                shop._hosts.Add(await ServedShop.StartAsync(shop._files.Directory, settings));
            return shop;
        }
        catch
        {
            await shop.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        for (var host = _hosts.Count - 1; host >= 0; host--)
            await _hosts[host].DisposeAsync();
        await _files.DisposeAsync();
    }
}
