namespace AiWorkflows.Inference;

/// <summary>What a challenger does with the requests that the champion answers.</summary>
/// <param name="Shadow">It scores all of them too; its predictions are logged, never answered.</param>
/// <param name="Share">Share of the entities, from 0 to 1, that it answers in the champion's place; the same ones every time.</param>
internal sealed record ChallengerTraffic(bool Shadow, double Share);

/// <param name="Required">Models without whose champion the host is not ready.</param>
internal sealed record OnlineOptions(
    int MostInstances, int MostWaiting, string CodeVersion, IReadOnlyDictionary<string, ChallengerTraffic> Challengers, IReadOnlyCollection<string> Required);
