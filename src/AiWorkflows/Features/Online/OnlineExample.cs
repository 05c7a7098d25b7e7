namespace AiWorkflows.Features;

/// <summary>One example made for a request.</summary>
/// <param name="Features">The example, of the view's example type.</param>
/// <param name="EntityKey">JSON array of the spine's keys.</param>
/// <param name="Moment">What the features were known at (UTC): the earlier of the spine row's event time and the business clock.</param>
/// <param name="Inputs">The spine row that was given or found, as JSON; only its keys where there is none.</param>
/// <param name="Missing">Joins without a row; <c>spine</c> for an entity that nothing is known about.</param>
internal readonly record struct OnlineExample(object Features, string EntityKey, DateTime Moment, string Inputs, IReadOnlyList<string> Missing)
{
    /// <summary>The name under which a spine row that is not there is listed as missing.</summary>
    public const string Spine = "spine";
}
