using AiWorkflows.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ObjectPool;
using Microsoft.ML;

namespace AiWorkflows.Benchmarks.Online;

/// <summary>The peer: a minimal endpoint around a pool of <c>PredictionEngine</c>s of the same model. Features come in the request, nothing is looked up, checked or logged.</summary>
internal static class BareEndpoint
{
    public const string Path = "/predict";

    /// <summary>Serves until the process ends; prints its address.</summary>
    /// <param name="model">File of the model.</param>
    public static async Task RunAsync(string model, CancellationToken ct)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.PropertyNamingPolicy = System.Text.Json.JsonNamingPolicy.SnakeCaseLower);
        var app = builder.Build();
        var (ml, loaded) = (new MLContext(), ModelArchive.Load(await File.ReadAllBytesAsync(model, ct), model));
        var engines = new DefaultObjectPoolProvider().Create(new Policy(ml, loaded));
        app.MapPost(Path, (BareFlight flight) =>
        {
            var engine = engines.Get();
            try
            {
                return engine.Predict(flight);
            }
            finally
            {
                engines.Return(engine);
            }
        });
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync(ct);
        Console.WriteLine(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        await app.WaitForShutdownAsync(ct);
    }

    private sealed class Policy(MLContext ml, ITransformer model) : PooledObjectPolicy<PredictionEngine<BareFlight, BareScore>>
    {
        public override PredictionEngine<BareFlight, BareScore> Create() => ml.Model.CreatePredictionEngine<BareFlight, BareScore>(model);

        public override bool Return(PredictionEngine<BareFlight, BareScore> engine) => true;
    }

    /// <summary>The example of the reference application as a class that a <c>PredictionEngine</c> takes.</summary>
    internal sealed class BareFlight
    {
        public float Hour { get; set; }

        public float Distance { get; set; }

        public float OriginLanded { get; set; }

        public float OriginOut { get; set; }

        public float OriginOut3h { get; set; }

        public float OriginOutLate { get; set; }

        public float OriginDeparted { get; set; }

        public float OriginIn { get; set; }

        public float OriginIn3h { get; set; }

        public float OriginInLate1h { get; set; }

        public float OriginInLate { get; set; }

        public float DestOut { get; set; }

        public float DestOut3h { get; set; }

        public float DestOutLate { get; set; }

        public float DestDeparted { get; set; }

        public float DestIn { get; set; }

        public float DestIn3h { get; set; }

        public float DestInLate1h { get; set; }

        public float DestInLate { get; set; }

        public float RouteHourLate { get; set; }

        public float RouteDayDelay { get; set; }

        public float Gap { get; set; }
    }

    internal sealed class BareScore
    {
        public float Score { get; set; }

        public float Probability { get; set; }
    }
}
