using System.Text.Json.Nodes;
using AiWorkflows.Inference;
using AiWorkflows.Workflows;
using Microsoft.OpenApi;

namespace AiWorkflows.Hosting.Api;

/// <summary>
/// Tells the OpenAPI document of this host's own models and workflows: schemas of their requests and answers, names to choose from, and examples that work
/// when they are sent as they are.
/// </summary>
internal sealed class OwnExamples(Catalog catalog, OnlineOptions online, ModelExample examples)
{
    private const string Json = "application/json";

    public async Task AddAsync(OpenApiDocument document, CancellationToken ct)
    {
        foreach (var (path, item) in document.Paths)
            foreach (var (_, operation) in item.Operations ?? [])
                Name(path, operation);
        if (Post(document, "/api/workflows/{name}/runs") is { } runs && catalog.Workflows is [var workflow, ..] && runs.RequestBody?.Content is { } body && body.TryGetValue(Json, out var run))
        {
            var from = workflow.WarmUpUntil ?? workflow.Origin;
            run.Example = new JsonObject { ["from"] = Timestamps.Iso(from), ["to"] = Timestamps.Iso(from + workflow.WindowSize), ["idempotency_key"] = "a-text-of-yours" };
        }
        if (Post(document, "/api/streams/{name}/events")?.RequestBody?.Content is { } pushed && pushed.TryGetValue(Json, out var events) && catalog.Streams.Count > 0)
        {
            (events.Example, events.Schema) = (null, OneOf([.. catalog.Streams.Select(s => (IOpenApiSchema)ModelSchemas.Events(s.Events))]));
            events.Examples = catalog.Streams.ToDictionary(s => s.Name, s => (IOpenApiExample)new OpenApiExample { Summary = $"To {s.Name}", Value = new JsonArray(ModelSchemas.Event(s.Events)) });
        }
        if (Post(document, "/api/models/{name}/predictions") is { } predict)
            await PredictionsAsync(document, predict, ct);
    }

    private async Task PredictionsAsync(OpenApiDocument document, OpenApiOperation predict, CancellationToken ct)
    {
        var schemas = (document.Components ??= new()).Schemas ??= new Dictionary<string, IOpenApiSchema>();
        var (requests, answers) = (new List<IOpenApiSchema>(), new List<IOpenApiSchema>());
        var (sent, got) = (new Dictionary<string, IOpenApiExample>(), new Dictionary<string, IOpenApiExample>());
        foreach (var pipeline in catalog.Inferences)
        {
            schemas[$"{pipeline.Name}-request"] = ModelSchemas.Request(pipeline, online.MostInstances);
            schemas[$"{pipeline.Name}-answer"] = ModelSchemas.Answer(pipeline);
            requests.Add(new OpenApiSchemaReference($"{pipeline.Name}-request", document));
            answers.Add(new OpenApiSchemaReference($"{pipeline.Name}-answer", document));
            var (request, answer) = await examples.RequestAndAnswerAsync(pipeline, ct);
            sent[pipeline.Model] = new OpenApiExample { Summary = $"To {pipeline.Model}", Value = request };
            if (answer is not null)
                got[pipeline.Model] = new OpenApiExample { Summary = $"Of {pipeline.Model}", Value = answer };
        }
        if (requests.Count == 0)
            return;
        predict.RequestBody = new OpenApiRequestBody { Required = true, Content = new Dictionary<string, OpenApiMediaType> { [Json] = new() { Schema = OneOf(requests), Examples = sent } } };
        predict.Responses ??= [];
        predict.Responses["200"] = new OpenApiResponse
        {
            Description = "The predictions, in the order of the instances.",
            Content = new Dictionary<string, OpenApiMediaType> { [Json] = new() { Schema = OneOf(answers), Examples = got.Count == 0 ? null : got } },
        };
    }

    /// <summary>Which names an address takes: those of this host's definitions.</summary>
    private void Name(string path, OpenApiOperation operation)
    {
        string[] names = path.StartsWith("/api/models/", StringComparison.Ordinal) ? [.. catalog.Inferences.Select(i => i.Model).Distinct()]
            : path.StartsWith("/api/workflows/", StringComparison.Ordinal) ? [.. catalog.Workflows.Select(w => w.Name)]
            : path.StartsWith("/api/streams/", StringComparison.Ordinal) ? [.. catalog.Streams.Select(s => s.Name)]
            : path.StartsWith("/api/views/", StringComparison.Ordinal) ? [.. catalog.Views.Select(v => v.Name)] : [];
        if (names.Length > 0 && operation.Parameters?.OfType<OpenApiParameter>().FirstOrDefault(p => p.Name == "name") is { } parameter)
            (parameter.Schema, parameter.Example) = (new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. names.Select(n => (JsonNode)n)] }, names[0]);
    }

    private static IOpenApiSchema OneOf(List<IOpenApiSchema> schemas) => schemas is [var only] ? only : new OpenApiSchema { OneOf = schemas };

    private static OpenApiOperation? Post(OpenApiDocument document, string path) =>
        document.Paths.TryGetValue(path, out var item) && item.Operations?.TryGetValue(HttpMethod.Post, out var operation) == true ? operation : null;
}
