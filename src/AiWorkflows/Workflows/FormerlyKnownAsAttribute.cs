namespace AiWorkflows;

/// <summary>
/// Names that a pipeline had before. At the start of a host of the new version everything that the store holds under such a name (what is covered, what is planned, predictions) passes to
/// the present one, so that a renamed pipeline neither starts from the beginning nor leaves its planned steps without code. Leave it in place until no host runs the old version.
/// </summary>
/// <param name="name">The former name of the stage, in kebab case.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class FormerlyKnownAsAttribute(string name) : Attribute
{
    /// <summary>The former name.</summary>
    public string Name { get; } = name;
}
