using AiWorkflows.Models;
using AiWorkflows.Tests.Training;
using Microsoft.ML.Data;

namespace AiWorkflows.Tests.Models;

public sealed class ExampleSchemaTests
{
    private sealed record Unlearnable(DateTime At, DateOnly Day, Guid Id, float[] Load, TimeSpan Length, float Label);

    private sealed record Whole(long Flight, int? Seats);

    private sealed record WithVector([property: VectorType(2)] float[] Load);

    private sealed record Nothing;

    [Fact]
    public void Numbers_become_Single_text_and_enums_become_text_and_vectors_keep_their_length()
    {
        var schema = Create<TripExample>(typeof(bool));

        schema.Columns.Select(c => $"{c.Name}:{c.DataType}:{c.IsNullable}").ShouldBe([
            "Hour:single:True", "Distance:single:False", "Gap:single:True", "Holiday:single:False", "Origin:text:True", "Weather:text:True", "Load:vector<single,3>:True"]);
        schema.DataView.Select(c => c.Type.ToString()).ShouldBe(["Single", "Single", "Single", "Single", "String", "String", "Vector<Single, 3>", "Boolean"]);
        schema.ForTrainer.Numeric.ShouldBe(["Hour", "Distance", "Gap", "Holiday", "Load"]);
        schema.ForTrainer.Text.ShouldBe(["Origin", "Weather"]);
        schema.ForTrainer.Label.ShouldBe("Label");
    }

    [Fact]
    public void Getters_give_NaN_and_null_for_what_is_missing_and_names_for_enums()
    {
        var schema = Create<TripExample>(typeof(bool));
        var full = new TripExample(-0f, 12, 0.5f, true, "LAX", Weather.Snow, [1, 2, 3]);
        var empty = new TripExample(float.NaN, 12, null, false, null, null, null);

        BitConverter.SingleToInt32Bits(Number(0, full)).ShouldBe(0, "-0 is 0");
        Number(3, full).ShouldBe(1);
        Number(2, full).ShouldBe(0.5f);
        Number(2, empty).ShouldBe(float.NaN);
        Text(5, full).ShouldBe("Snow");
        Text(5, empty).ShouldBeNull();
        Text(4, empty).ShouldBeNull();

        float Number(int column, TripExample e) => ((Func<TripExample, float>)schema.Getters[column])(e);
        string? Text(int column, TripExample e) => ((Func<TripExample, string?>)schema.Getters[column])(e);
    }

    [Fact]
    public void Whole_numbers_that_Single_cannot_hold_exactly_are_refused_by_name_and_value()
    {
        var flight = (Func<Whole, float>)Create<Whole>(null).Getters[0];

        flight(new(16_777_216, null)).ShouldBe(16_777_216f);
        Should.Throw<StageFailedException>(() => flight(new(16_777_217, null))).Message.ShouldContain("Whole.Flight is 16777217");
        Should.Throw<StageFailedException>(() => flight(new(-16_777_217, null)));
    }

    [Fact]
    public void An_infinite_input_is_refused()
    {
        var hour = (Func<TripExample, float>)Create<TripExample>(null).Getters[0];
        Should.Throw<StageFailedException>(() => hour(new(float.PositiveInfinity, 1, 1, true, "", null, null))).Message.ShouldContain("TripExample.Hour is infinite");
    }

    [Fact]
    public void A_vector_of_another_length_is_refused()
    {
        var load = (Func<TripExample, float[]?>)Create<TripExample>(null).Getters[6];
        Should.Throw<StageFailedException>(() => load(new(1, 1, 1, true, "", null, [1, 2]))).Message.ShouldContain("has 2 elements where 3 are declared");
    }

    [Fact]
    public void What_cannot_be_learnt_from_is_listed_property_by_property_with_advice()
    {
        var errors = new List<string>();

        ExampleSchema<Unlearnable>.TryCreate(typeof(bool), errors).ShouldBeNull();

        errors.Count.ShouldBe(6);
        errors[0].ShouldBe("Unlearnable.At is DateTime, from which ML.NET cannot learn; compute a number or a string from it in Select, for example .Hour or the days since another time.");
        errors[1].ShouldContain(".DayOfYear");
        errors[2].ShouldContain("Unlearnable.Id is Guid");
        errors[3].ShouldContain("[Feature(VectorLength = n)]");
        errors[4].ShouldContain("Unlearnable.Length is TimeSpan");
        errors[5].ShouldContain("rename");
    }

    [Fact]
    public void An_example_without_properties_is_refused()
    {
        var errors = new List<string>();
        ExampleSchema<Nothing>.TryCreate(null, errors).ShouldBeNull();
        errors.ShouldHaveSingleItem();
    }

    [Fact]
    public void The_length_of_a_vector_may_be_declared_as_ML_NET_does() => Create<WithVector>(null).Columns.Single().Length.ShouldBe(2);

    [Fact]
    public void The_hash_of_a_feature_vector_depends_on_every_value_and_not_on_how_zero_or_NaN_are_written()
    {
        var hash = new FeatureVectorHash<TripExample>(Create<TripExample>(null));
        var example = new TripExample(1, 2, 3, true, "LAX", Weather.Rain, [1, 2, 3]);
        TripExample[] others = [
            example with { Hour = 2 }, example with { Distance = 3 }, example with { Gap = null }, example with { Holiday = false }, example with { Origin = "JFK" },
            example with { Origin = null }, example with { Origin = "" }, example with { Weather = null }, example with { Load = null }, example with { Load = [1, 2, 4] }];

        others.Select(hash.Of).Append(hash.Of(example)).Distinct().Count().ShouldBe(others.Length + 1);
        hash.Of(example with { Load = [1, 2, 3] }).ShouldBe(hash.Of(example));
        hash.Of(example with { Hour = -0f }).ShouldBe(hash.Of(example with { Hour = 0f }));
        hash.Of(example with { Hour = BitConverter.Int32BitsToSingle(0x7FC00001) }).ShouldBe(hash.Of(example with { Hour = float.NaN }));
    }

    private static ExampleSchema<TExample> Create<TExample>(Type? label) where TExample : class
    {
        var errors = new List<string>();
        var schema = ExampleSchema<TExample>.TryCreate(label, errors);
        errors.ShouldBeEmpty();
        return schema!;
    }
}
