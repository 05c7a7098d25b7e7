using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;

namespace AiWorkflows.Workflows;

/// <summary>The stores that the engine works on.</summary>
internal sealed record EngineStores(ILedger Ledger, IFeatureStore Features, IModelRegistry Registry, IPredictionLog Predictions);
