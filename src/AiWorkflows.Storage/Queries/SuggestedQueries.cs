namespace AiWorkflows.Storage.Queries;

/// <summary>Queries that are shown to people, to be typed or changed; never run here.</summary>
internal static class SuggestedQueries
{
    /// <summary>Predictions beside what became of them.</summary>
    public static string Scored(StoreDatabase database) =>
        database.Sql("SELECT {top:10}event_time, entity_key, probability, actual FROM {prediction_log.scored}{top_end:10}");

    /// <summary>The name of the view that shows the current rows of a feature group.</summary>
    public static string ViewOf(StoreDatabase database, string featureGroup, int version) => database.Sql($"{{feature_store.{featureGroup}_v{version}}}");
}
