using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace AiWorkflows.Tests.Hosting;

public class TelemetryExportTests
{
    [Fact]
    public async Task With_the_standard_variables_a_command_sends_its_traces_and_metrics_before_it_ends()
    {
        await using var collector = await Collector.StartAsync();
        using var directory = new TempDirectory();
        await using (var host = ServedHost.Build(directory.FullName, settings: new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url, ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf", ["OTEL_SERVICE_NAME"] = "shop-of-tests" }))
            (await host.RunAsync("run", "w", "--from", "2001-01-01", "--to", "2001-01-03")).ShouldBe(0, host.Error);

        var traces = collector.Received["/v1/traces"];
        foreach (var text in new[] { "shop-of-tests", "service.instance.id", "w tick", "w double", "run w", "read ticks", "publish" })
            traces.ShouldContain(text);
        var metrics = collector.Received["/v1/metrics"];
        metrics.ShouldContain("aiworkflows.stage.attempts");
        metrics.ShouldContain("aiworkflows.run.duration");
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("OTEL_SDK_DISABLED", "true")]
    public async Task Without_an_endpoint_or_disabled_nothing_of_it_is_constructed(string? variable, string? value)
    {
        using var directory = new TempDirectory();
        var settings = variable is null ? [] : new Dictionary<string, string?> { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9", [variable] = value };
        await using var host = ServedHost.Build(directory.FullName, settings: settings);
        host.Services.GetService<TracerProvider>().ShouldBeNull();
        host.Services.GetService<MeterProvider>().ShouldBeNull();
    }

    [Fact]
    public async Task One_signal_can_be_left_out()
    {
        using var directory = new TempDirectory();
        await using var host = ServedHost.Build(directory.FullName, settings: new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9", ["OTEL_METRICS_EXPORTER"] = "none" });
        host.Services.GetService<TracerProvider>().ShouldNotBeNull();
        host.Services.GetService<MeterProvider>().ShouldBeNull();
    }

    /// <summary>Keeps what is sent by OTLP over HTTP; the texts in it can be read as they are.</summary>
    private sealed class Collector(WebApplication app) : IAsyncDisposable
    {
        public ConcurrentDictionary<string, string> Received { get; } = [];

        public string Url => app.Urls.Single();

        public static async Task<Collector> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var app = builder.Build();
            var collector = new Collector(app);
            app.MapPost("/v1/{signal}", async (HttpRequest request) =>
            {
                using var body = new MemoryStream();
                await request.Body.CopyToAsync(body);
                var text = Encoding.Latin1.GetString(body.ToArray());
                collector.Received.AddOrUpdate(request.Path, text, (_, before) => before + text);
                return Results.Bytes([], "application/x-protobuf");
            });
            await app.StartAsync();
            return collector;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
