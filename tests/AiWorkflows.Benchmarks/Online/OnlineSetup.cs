using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using AiWorkflows.Benchmarks.Application;
using AiWorkflows.Models;
using AiWorkflows.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Benchmarks.Online;

/// <summary>
/// A run of the reference application, made once: its store with the champion, the same model as a file for the peer, and the same flights as requests for both
/// sides. The peer is given the features that our side has to look up.
/// </summary>
internal sealed class OnlineSetup(string directory)
{
    private const int Flights = 2000;
    private const int Chunk = 500;
    private const string Model = "flight-delay";

    private readonly ReferenceRun _run = new(directory);

    public string Database => _run.Database;

    public string ModelFile => System.IO.Path.Combine(directory, "model.zip");

    private string Keys => System.IO.Path.Combine(directory, "keys.json");

    private string Examples => System.IO.Path.Combine(directory, "examples.json");

    public Task<ServerProcess> ServeAsync(CancellationToken ct) => _run.ServeAsync(ct);

    /// <summary>Whole requests for our side.</summary>
    public IReadOnlyList<byte[]> Requests() => [.. Read(Keys).Select(body => Request($"/api/models/{Model}/predictions", $$"""{"instances":[{{body}}]}"""))];

    /// <summary>Whole requests for the peer, in the same order.</summary>
    public IReadOnlyList<byte[]> PeerRequests() => [.. Read(Examples).Select(body => Request(BareEndpoint.Path, body))];

    public async Task PrepareAsync(CancellationToken ct)
    {
        if (File.Exists(Examples))
            return;
        await _run.EnsureAsync(ct);
        await using (var services = new ServiceCollection().AddSqliteStorage(Database).AddLogging().BuildServiceProvider())
        {
            var registry = services.GetRequiredService<IModelRegistry>();
            var champion = await registry.FindAliasAsync(Model, "champion", ct) ?? throw new InvalidOperationException("The run of the reference application has promoted no model.");
            var version = await registry.FindVersionAsync(Model, champion.Version, ct);
            await File.WriteAllBytesAsync(ModelFile, await registry.ReadArtifactAsync(version!.ArtifactSha256, ct), ct);
        }
        // What is asked once is logged with the features that were looked up: those the peer is given.
        using (var server = await ServeAsync(ct))
        {
            using var http = new HttpClient { BaseAddress = new($"http://{server.Address}") };
            foreach (var chunk in Query($"SELECT entity_key FROM prediction_log_prediction_rows ORDER BY ordinal % 61, ordinal LIMIT {Flights}").Chunk(Chunk))
            {
                using var content = new StringContent($$"""{"instances":[{{string.Join(',', chunk.Select(key => $$"""{"flight_id":{{key.Trim('[', ']')}}}"""))}}]}""", Encoding.UTF8, "application/json");
                using var response = await http.PostAsync($"/api/models/{Model}/predictions", content, ct);
                response.EnsureSuccessStatusCode();
            }
        }
        var rows = Query("SELECT '{\"flight_id\":' || substr(entity_key, 2, length(entity_key) - 2) || '}' || char(10) || features FROM prediction_log_online_rows WHERE features NOT LIKE '%null%' ORDER BY ordinal")
            .Select(r => r.Split('\n')).ToArray();
        await File.WriteAllLinesAsync(Keys, rows.Select(r => r[0]), ct);
        await File.WriteAllLinesAsync(Examples, rows.Select(r => r[1]), ct);
    }

    private List<string> Query(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var values = new List<string>();
        while (reader.Read())
            values.Add(reader.GetString(0));
        return values;
    }

    private static string[] Read(string file) => File.ReadAllLines(file);

    private static byte[] Request(string path, string body) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
        $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}"));

    /// <summary>Both sides must say the same about the same flights, or the comparison means nothing.</summary>
    public async Task CompareAsync(IPEndPoint ours, IPEndPoint peer, CancellationToken ct)
    {
        var (requests, bare) = (Requests(), PeerRequests());
        for (var i = 0; i < requests.Count; i += requests.Count / 50)
        {
            var mine = Json(await LoadGenerator.AskAsync(ours, requests[i], ct)).GetProperty("predictions")[0].GetProperty("score").GetDouble();
            var theirs = Json(await LoadGenerator.AskAsync(peer, bare[i], ct)).GetProperty("score").GetSingle();
            if ((float)mine != theirs)
                throw new InvalidOperationException($"Request {i} is answered with {mine:R} by us and with {theirs:R} by the peer.");
        }
    }

    private static JsonElement Json(string body) => JsonDocument.Parse(body[body.IndexOf('{', StringComparison.Ordinal)..(body.LastIndexOf('}') + 1)]).RootElement;
}
