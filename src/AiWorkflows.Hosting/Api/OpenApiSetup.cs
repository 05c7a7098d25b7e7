using System.Text.Json;
using System.Text.Json.Nodes;
using AiWorkflows.Hosting.Security;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace AiWorkflows.Hosting.Api;

/// <summary>What a request may look like.</summary>
internal sealed record ApiExample(string Request);

/// <summary>The OpenAPI document: of our own addresses, with the names that the API really uses, who may call what, and examples.</summary>
internal static class OpenApiSetup
{
    public const string Document = "v1";

    private const string BearerScheme = "bearer";
    private const string HeaderScheme = "header";

    private static readonly string[] Documented = ["api/", "v2/", "health/"];

    public static void AddApiDocument(this IServiceCollection services) => services.AddOpenApi(Document, options =>
    {
        options.ShouldInclude = description => description.RelativePath is { } path && Documented.Any(prefix => path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
        options.AddSchemaTransformer((schema, context, _) =>
        {
            UseOurNames(schema, context.JsonTypeInfo.Type);
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            Describe(operation, context);
            return Task.CompletedTask;
        });
        options.AddDocumentTransformer((document, context, ct) =>
        {
            Introduce(document);
            return context.ApplicationServices.GetRequiredService<OwnExamples>().AddAsync(document, ct);
        });
    });

    private static void Introduce(OpenApiDocument document)
    {
        document.Info = new()
        {
            Title = "AiWorkflows",
            Version = Document,
            Description = "Runs, features and predictions of this host. Where anybody has to sign in, send a key as `Authorization: Bearer awk_…` or `X-Api-Key`; `keys create` makes one. "
                + "A viewer may read and predict, an operator may also act. Times are ISO-8601 in UTC. Mistakes are problem+json (RFC 9457) and name the field.",
        };
        document.Components ??= new();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [BearerScheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "A key, awk_…" },
            [HeaderScheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = AccessHandler.Header, Description = "A key, awk_…" },
        };
        foreach (var path in document.Paths.Values)
            foreach (var operation in path.Operations?.Values.Where(o => o.Responses?.ContainsKey("401") == true) ?? [])
                operation.Security =
                [
                    new() { [new OpenApiSecuritySchemeReference(BearerScheme, document)] = [] },
                    new() { [new OpenApiSecuritySchemeReference(HeaderScheme, document)] = [] },
                ];
    }

    private static void Describe(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        operation.Responses ??= [];
        if (metadata.OfType<IAuthorizeData>().FirstOrDefault() is { } authorize)
        {
            operation.Description = string.Join("\n\n", new[] { operation.Description, $"Role: {(authorize.Policy == AiWorkflowsPolicies.Operator ? Roles.Operator : Roles.Viewer)}." }.Where(t => !string.IsNullOrEmpty(t)));
            operation.Responses.TryAdd("401", new OpenApiResponse { Description = "No key, or one that is not in force." });
            operation.Responses.TryAdd("403", new OpenApiResponse { Description = "The role does not suffice." });
            operation.Responses.TryAdd("429", new OpenApiResponse { Description = "Too many requests at a time; Retry-After says when to come again." });
        }
        if (metadata.OfType<ApiExample>().LastOrDefault() is not { } example)
            return;
        // A body that is read by hand has no type that would describe it.
        operation.RequestBody ??= new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.Object } } },
        };
        if (operation.RequestBody.Content is { } content && content.TryGetValue("application/json", out var json))
            json.Example = JsonNode.Parse(example.Request);
    }

    /// <summary>The API writes snake_case whatever the program has set for its own endpoints, and numbers as numbers.</summary>
    private static void UseOurNames(OpenApiSchema schema, Type type)
    {
        if (schema.Type is { } kind && kind.HasFlag(JsonSchemaType.String) && (kind.HasFlag(JsonSchemaType.Integer) || kind.HasFlag(JsonSchemaType.Number)))
            (schema.Type, schema.Pattern) = (kind & ~JsonSchemaType.String, null);
        if (type.Assembly != typeof(OpenApiSetup).Assembly || schema.Properties is not { Count: > 0 } properties)
            return;
        schema.Properties = properties.ToDictionary(p => JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Key), p => p.Value);
        if (schema.Required is { Count: > 0 } required)
            schema.Required = required.Select(JsonNamingPolicy.SnakeCaseLower.ConvertName).ToHashSet();
    }
}
