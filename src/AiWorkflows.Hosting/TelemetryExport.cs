using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace AiWorkflows.Hosting;

/// <summary>Sends traces and metrics by OTLP where the standard variables of OpenTelemetry say to; without them nothing is even constructed.</summary>
internal static class TelemetryExport
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    private const string MetricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

    public static void Add(WebApplicationBuilder builder, HostSettings settings)
    {
        var configuration = builder.Configuration;
        var (traces, metrics) = (IsWanted(configuration, TracesEndpoint, "OTEL_TRACES_EXPORTER"), IsWanted(configuration, MetricsEndpoint, "OTEL_METRICS_EXPORTER"));
        if (!traces && !metrics)
            return;
        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource
            // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, which are read before, win.
            .AddDetector(new HostDetector(configuration, builder.Environment.ApplicationName, settings)));
        if (traces)
            telemetry.WithTracing(tracing => tracing.AddSource(Telemetry.Name).AddOtlpExporter());
        if (metrics)
            telemetry.WithMetrics(metering => metering.AddMeter(Telemetry.Name).AddOtlpExporter());
    }

    /// <summary>For commands too, which start no web application; what is left is sent when the services are disposed of.</summary>
    public static void Start(IServiceProvider services)
    {
        _ = services.GetService<TracerProvider>();
        _ = services.GetService<MeterProvider>();
    }

    private static bool IsWanted(ConfigurationManager configuration, string endpointOfSignal, string exporter) =>
        !string.Equals(configuration["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase)
        && !string.Equals(configuration[exporter], "none", StringComparison.OrdinalIgnoreCase)
        && (!string.IsNullOrWhiteSpace(configuration[Endpoint]) || !string.IsNullOrWhiteSpace(configuration[endpointOfSignal]));

    private sealed class HostDetector(IConfiguration configuration, string application, HostSettings settings) : IResourceDetector
    {
        public Resource Detect()
        {
            var attributes = new List<KeyValuePair<string, object>> { new("service.instance.id", settings.HostName), new("service.version", settings.CodeVersion) };
            if (string.IsNullOrWhiteSpace(configuration["OTEL_SERVICE_NAME"]) && configuration["OTEL_RESOURCE_ATTRIBUTES"]?.Contains("service.name=", StringComparison.Ordinal) != true)
                attributes.Add(new("service.name", application));
            return new(attributes);
        }
    }
}
