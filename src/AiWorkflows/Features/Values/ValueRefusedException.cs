namespace AiWorkflows.Features;

/// <summary>A value that no store may hold; the codec, which knows row and column, turns it into an error for people.</summary>
internal sealed class ValueRefusedException(string reason) : Exception(reason);
