using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Tests.Training;
using AiWorkflows.Training;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Inference;

/// <summary>Mistakes in training and inference pipelines: all found at start-up, each saying what to change.</summary>
public sealed class DefinitionMistakesTests
{
    private static readonly ListView<TripExample> View = TripDefinitions.View([]);
    private static readonly IServiceProvider Services = new ServiceCollection().BuildServiceProvider();

    [Fact]
    public void An_empty_Define_lists_everything_that_it_lacks() => Training<Empty>([View]).ShouldBe([
        "Empty.Define never calls Model; name the model in the registry, for example train.Model(\"flight-delay\").",
        "Empty.Define never calls Fit; give it the ML.NET estimator, for example train.Fit((ml, columns) => …).",
        "Empty.Define never calls Split; say how far back it learns and what it is judged on, for example train.Split(history: TimeSpan.FromDays(180), holdout: TimeSpan.FromDays(30))."]);

    [Fact]
    public void A_wrong_name_a_split_that_leaves_nothing_and_a_baseline_declared_twice_are_found_together()
    {
        var errors = Training<Wrong>([View]);
        errors.Count.ShouldBe(4);
        errors[0].ShouldContain("'Trip Delay' is no name of a model");
        errors[1].ShouldContain("leaves nothing to train on");
        errors[2].ShouldContain("baseline 'a' is declared twice");
        errors[3].ShouldContain("baseline 'prior' is declared twice (the prior is always there)");
    }

    [Fact]
    public void A_holdout_shorter_than_the_labels_horizon_is_refused() => Training<ShortHoldout>([View]).ShouldHaveSingleItem().ShouldContain("must be longer than the label's horizon");

    [Fact]
    public void An_example_is_made_by_exactly_one_view()
    {
        Training<TripTraining>([]).ShouldHaveSingleItem().ShouldContain("which no view makes");
        Training<TripTraining>([View, new OtherListView<TripExample>([], typeof(bool), Trips.Within)]).ShouldHaveSingleItem().ShouldContain("which 2 views make (ListView`1, OtherListView`1)");
        Inference<TripScoring>([]).ShouldHaveSingleItem().ShouldContain("which no view makes");
    }

    [Fact]
    public void A_view_without_a_label_or_with_one_that_nothing_learns_is_refused()
    {
        Training<TripTraining>([new ListView<TripExample>([], null, Trips.Within)]).ShouldHaveSingleItem().ShouldContain("which has no label");
        Training<TripTraining>([new ListView<TripExample>([], typeof(DateTime), Trips.Within)]).ShouldHaveSingleItem().ShouldContain("make it bool (yes or no), float (a number)");
        Inference<TripScoring>([new ListView<TripExample>([], null, Trips.Within)]).ShouldHaveSingleItem().ShouldContain("which has no label");
        Training<TripTraining>([TripDefinitions.View([], typeof(string))]).ShouldHaveSingleItem().ShouldContain("the label is a class");
    }

    [Fact]
    public void What_throws_or_cannot_be_constructed_is_named()
    {
        Training<Throwing>([View]).ShouldHaveSingleItem().ShouldBe("Throwing.Define threw InvalidOperationException: no luck");
        Training<NeedsService>([View]).ShouldHaveSingleItem().ShouldContain("NeedsService could not be constructed");
        Inference<Nameless>([View]).ShouldHaveSingleItem().ShouldContain("Nameless.Model is empty");
    }

    [Fact]
    public void Other_types_are_left_to_others()
    {
        Training<TripScoring>([View]).ShouldBeEmpty();
        Inference<TripTraining>([View]).ShouldBeEmpty();
    }

    private static List<string> Training<TPipeline>(FeatureViewDefinition[] views)
    {
        var errors = new List<string>();
        TrainingDefinitions.TryCreate(typeof(TPipeline), views, Services, errors).ShouldBeNull();
        return errors;
    }

    private static List<string> Inference<TPipeline>(FeatureViewDefinition[] views)
    {
        var errors = new List<string>();
        InferenceDefinitions.TryCreate(typeof(TPipeline), views, Services, errors).ShouldBeNull();
        return errors;
    }

    private sealed class Empty : TrainingPipeline<TripExample>
    {
        protected internal override void Define(TrainingBuilder<TripExample> train) { }
    }

    private sealed class Wrong : TripTraining
    {
        protected internal override void Define(TrainingBuilder<TripExample> train)
        {
            base.Define(train);
            train.Model("Trip Delay").Split(TimeSpan.FromDays(10), TimeSpan.FromDays(10)).Baseline("a", _ => 1).Baseline("a", _ => 2).Baseline("prior", _ => 3);
        }
    }

    private sealed class ShortHoldout : TripTraining
    {
        protected internal override void Define(TrainingBuilder<TripExample> train)
        {
            base.Define(train);
            train.Split(TimeSpan.FromDays(10), TimeSpan.FromHours(6));
        }
    }

    private sealed class Throwing : TrainingPipeline<TripExample>
    {
        protected internal override void Define(TrainingBuilder<TripExample> train) => throw new InvalidOperationException("no luck");
    }

    private sealed class NeedsService(IFormatProvider missing) : TripTraining
    {
        public override string Name => missing.ToString()!;
    }

    private sealed class Nameless : TripScoring
    {
        public override string Model => "";
    }
}
