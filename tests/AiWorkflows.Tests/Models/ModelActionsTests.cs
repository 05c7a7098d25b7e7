using AiWorkflows.Models;
using AiWorkflows.Tests.Training;

namespace AiWorkflows.Tests.Models;

public sealed class ModelActionsTests : IAsyncLifetime
{
    private readonly Stage _stage = new();
    private ModelActions _actions = null!;

    public async ValueTask InitializeAsync()
    {
        var trained = await TripDefinitions.Training<FastTreeTripTraining>(TripDefinitions.View(Trips.Make(TripDefinitions.Rows)), _stage)
            .ExecuteAsync(_stage.Context(TripDefinitions.CutOff, TripDefinitions.CutOff.AddDays(1)), _stage.Stores, default);
        _stage.Registry.Publish(trained with { Alias = null });
        _stage.Registry.Publish(trained with { Alias = null });
        _actions = new(_stage.Registry, ["trip-delay", "trip-weather"]);
    }

    public ValueTask DisposeAsync()
    {
        _stage.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Promoting_and_rolling_back_record_who_and_why()
    {
        await _actions.PromoteAsync("trip-delay", 1, "ana", "looks good", default);
        await _actions.PromoteAsync("trip-delay", 2, "sam", null, default);
        (await _actions.RollBackAsync("trip-delay", "ana", null, default)).Version.ShouldBe(1);

        _stage.Registry.History.Select(h => $"{h.Alias} {h.Version} {h.By}: {h.Reason}").ShouldBe([
            "champion 1 ana: looks good", "champion 2 sam: promoted by hand", "champion 1 ana: rolled back from version 2"]);
    }

    [Fact]
    public async Task Wrong_names_and_versions_are_refused_with_what_there_is()
    {
        (await Refused(_actions.PromoteAsync("trip-dealy", 1, "ana", null, default))).ShouldBe("Unknown model 'trip-dealy': did you mean trip-delay?");
        (await Refused(_actions.PromoteAsync("trip-weather", 1, "ana", null, default))).ShouldContain("has not been trained yet");
        (await Refused(_actions.PromoteAsync("trip-delay", 9, "ana", null, default))).ShouldBe("Model 'trip-delay' has no version 9; 'models show trip-delay' lists its versions.");
        (await Refused(_actions.SetAliasAsync("trip-delay", "The Best", 1, "ana", null, default))).ShouldContain("is no alias");
        (await Refused(_actions.RollBackAsync("trip-delay", "ana", null, default))).ShouldContain("has no champion to roll back");
        await _actions.PromoteAsync("trip-delay", 1, "ana", null, default);
        (await Refused(_actions.PromoteAsync("trip-delay", 1, "ana", null, default))).ShouldContain("is already its champion");
        (await Refused(_actions.RollBackAsync("trip-delay", "ana", null, default))).ShouldContain("none to go back to");
        _stage.Registry.History.Count.ShouldBe(1);
    }

    private static async Task<string> Refused(Task<AliasChange> action) => (await Should.ThrowAsync<InvalidRequestException>(action)).Message;
}
