using AiWorkflows.Features;

namespace AiWorkflows.Tests.Features;

/// <summary>Each mistake that a definition of a feature pipeline or view can hold, and what its author is told.</summary>
public sealed class DefinitionMistakesTests
{
    [FeatureGroup("good")] public sealed record Good([EntityKey] string Key, [EventTime] DateTime At, float Value, int Number);
    [FeatureGroup("outcome")] public sealed record Outcome([EntityKey] string Key, [EventTime] DateTime At, float Value, string? Text);
    [FeatureGroup("pair")] public sealed record Pair([EntityKey] string A, [EntityKey] byte B, [EventTime] DateTime At, float Value);
    [FeatureGroup("late", LagSeconds = 60)] public sealed record Late([EntityKey] string Key, [EventTime] DateTime At, float Value);
    [FeatureGroup("spine")] public sealed record Spine([EntityKey] string Key, [EventTime] DateTime At, int Number, byte? Small, DateTime When);

    [FeatureGroup("no_key")] public sealed record NoKey(string Key, [EventTime] DateTime At, float Value);
    [FeatureGroup("no_time")] public sealed record NoTime([EntityKey] string Key, DateTime At, float Value);
    [FeatureGroup("bad_type")] public sealed record BadType([EntityKey] string Key, [EventTime] DateTime At, TimeSpan Value);
    [FeatureGroup("null_key")] public sealed record NullKey([EntityKey] string? Key, [EventTime] DateTime At, float Value);
    [FeatureGroup("float_key")] public sealed record FloatKey([EntityKey] float Key, [EventTime] DateTime At, float Value);
    [FeatureGroup("offset_time")] public sealed record OffsetTime([EntityKey] string Key, [EventTime] DateTimeOffset At, float Value);
    [FeatureGroup("computed")] public sealed record Computed([EntityKey] string Key, [EventTime] DateTime At, float Value) { public float Twice => Value * 2; }
    [FeatureGroup("vector")] public sealed record Vector([EntityKey] string Key, [EventTime] DateTime At, float[] Value);
    [FeatureGroup("Bad Name")] public sealed record BadName([EntityKey] string Key, [EventTime] DateTime At, float Value);
    public sealed record Undeclared([EntityKey] string Key, [EventTime] DateTime At, float Value);

    public sealed class RowPipeline<TRow> : BatchFeaturePipeline<TRow> where TRow : class
    {
        public override string Name => "rows";

        public override IAsyncEnumerable<TRow> ComputeAsync(Window window, CancellationToken ct) => AsyncEnumerable.Empty<TRow>();
    }

    [Theory]
    [InlineData(typeof(NoKey), "NoKey has no [EntityKey]; mark at least one property.")]
    [InlineData(typeof(NoTime), "NoTime has 0 properties marked [EventTime]; mark exactly one, of type DateTime (UTC).")]
    [InlineData(typeof(BadType), "BadType.Value is TimeSpan, which no column can hold; use one of")]
    [InlineData(typeof(NullKey), "NullKey.Key is an entity key of type String; keys are string, integer, Guid, enum or DateOnly, and never null.")]
    [InlineData(typeof(FloatKey), "FloatKey.Key is an entity key of type Single; keys are")]
    [InlineData(typeof(OffsetTime), "OffsetTime.At is DateTimeOffset, which no column can hold")]
    [InlineData(typeof(Computed), "Computed.Twice could be written but never read back")]
    [InlineData(typeof(Vector), "Vector.Value is float[] of unknown length; add [Feature(VectorLength = n)].")]
    [InlineData(typeof(BadName), "'Bad Name' is no name of a feature group")]
    [InlineData(typeof(Undeclared), "Undeclared is used as a feature group but has no [FeatureGroup(\"name\")]")]
    public void Of_a_row_type(Type row, string error) => Errors(typeof(RowPipeline<>).MakeGenericType(row)).ShouldContain(e => e.Contains(error));

    public sealed class Unresolved(IDisposable missing) : BatchFeaturePipeline<Good>
    {
        public override IAsyncEnumerable<Good> ComputeAsync(Window window, CancellationToken ct) => throw new InvalidOperationException(missing.ToString());
    }

    public sealed class ReadsItself(IFeatureReader<Good> own) : BatchFeaturePipeline<Good>
    {
        public override IAsyncEnumerable<Good> ComputeAsync(Window window, CancellationToken ct) => own.ReadAsync(window, ct);
    }

    public sealed class Throwing : BatchFeaturePipeline<Good>
    {
        public override string Name => "Not Kebab";

        public override IAsyncEnumerable<Good> ComputeAsync(Window window, CancellationToken ct) => AsyncEnumerable.Empty<Good>();

        protected internal override void Expect(Expectations<Good> e) => throw new NotSupportedException("not yet");
    }

    public abstract class Aggregate<TEvent, TRow> : AggregateFeaturePipeline<TEvent, TRow> where TEvent : class where TRow : class
    {
        public override string Name => "aggregate";
    }

    public sealed class NoSelectAggregate : Aggregate<Good, Outcome> { protected internal override void Define(AggregationBuilder<Good, Outcome> events) => events.By(x => x.Key).Every(TimeSpan.FromHours(1)); }
    public sealed class NoHop : Aggregate<Good, Outcome> { protected internal override void Define(AggregationBuilder<Good, Outcome> events) => events.By(x => x.Key).Select(g => new Outcome(g.Key, g.End, g.Last(TimeSpan.FromHours(1)).Count(), null)); }
    public sealed class BadSpan : Aggregate<Good, Outcome> { protected internal override void Define(AggregationBuilder<Good, Outcome> events) => events.By(x => x.Key).Every(TimeSpan.FromHours(1)).Select(g => new Outcome(g.Key, g.End, g.Last(TimeSpan.FromMinutes(90)).Count(), null)); }
    public sealed class OtherTime : Aggregate<Good, Outcome> { protected internal override void Define(AggregationBuilder<Good, Outcome> events) => events.By(x => x.Key).Every(TimeSpan.FromHours(1)).Select(g => new Outcome(g.Key, g.End.AddHours(-1), g.Last(TimeSpan.FromHours(1)).Count(), null)); }
    public sealed class Nothing : Aggregate<Good, Outcome> { protected internal override void Define(AggregationBuilder<Good, Outcome> events) => events.By(x => x.Key).Every(TimeSpan.FromHours(1)).Select(g => new Outcome(g.Key, g.End, 1, null)); }
    public sealed class Leaky : Aggregate<Late, Outcome> { protected internal override void Define(AggregationBuilder<Late, Outcome> events) => events.By(x => x.Key).Every(TimeSpan.FromHours(1)).Select(g => new Outcome(g.Key, g.End, g.Last(TimeSpan.FromHours(1)).Count(), null)); }

    [Theory]
    [InlineData(typeof(Unresolved), "Unresolved cannot be constructed: Unable to resolve service for type 'System.IDisposable'")]
    [InlineData(typeof(ReadsItself), "ReadsItself reads Good, which it writes itself")]
    [InlineData(typeof(Throwing), "Throwing.Name is 'Not Kebab'")]
    [InlineData(typeof(Throwing), "Throwing.Expect threw NotSupportedException: not yet")]
    [InlineData(typeof(NoSelectAggregate), "NoSelectAggregate.Define must declare By(…).Every(…).Select(…); Select is missing.")]
    [InlineData(typeof(NoHop), "NoHop: Every(00:00:00) must be a positive length")]
    [InlineData(typeof(BadSpan), "BadSpan: Last(01:30:00) is no multiple of Every(01:00:00); change one of them.")]
    [InlineData(typeof(OtherTime), "OtherTime: the event time Outcome.At must be g.End")]
    [InlineData(typeof(Nothing), "Nothing: Select aggregates nothing")]
    [InlineData(typeof(Leaky), "Leaky aggregates late, whose rows are known 60 s after their event time, but outcome claims to be known after 0 s; declare LagSeconds = 60 on Outcome.")]
    public void Of_a_pipeline(Type pipeline, string error) => Errors(pipeline).ShouldContain(e => e.Contains(error));

    public sealed record Example(float Value);

    public sealed record Whole(int Value);

    public sealed record Timed(DateTime Value);

    public abstract class View<TExample>(Action<FeatureViewBuilder<Spine, TExample>> define) : FeatureView<Spine, TExample> where TExample : class
    {
        protected internal override void Define(FeatureViewBuilder<Spine, TExample> view) => define(view);
    }

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public sealed class NotEqual() : View<Example>(v => { var g = v.Join<Good>((s, r) => s.Key == r.Key && s.Number > 3, Hour); v.Select(s => new(g.Row.Value)); });
    public sealed class NoKeyJoin() : View<Example>(v => { var g = v.Join<Good>((s, r) => s.Number == r.Number, Hour); v.Select(s => new(g.Row.Value)); });
    public sealed class Unbound() : View<Example>(v => { var g = v.Join<Pair>((s, r) => s.Key == r.A, Hour); v.Select(s => new(g.Row.Value)); });
    public sealed class BoundTwice() : View<Example>(v => { var g = v.Join<Good>((s, r) => s.Key == r.Key && r.Key == "a", Hour); v.Select(s => new(g.Row.Value)); });
    public sealed class OtherType() : View<Example>(v => { var g = v.Join<Pair>((s, r) => s.Key == r.A && s.Number == r.B, Hour); v.Select(s => new(g.Row.Value)); });
    public sealed class TooLarge() : View<Example>(v => { var much = 300; var g = v.Join<Pair>((s, r) => s.Key == r.A && r.B == much, Hour); v.Select(s => new(g.Row.Value)); });
    public sealed class SameSide() : View<Example>(v => { var g = v.Join<Pair>((s, r) => s.Key == r.A && r.A == r.A, Hour); v.Select(s => new(g.Row.Value)); });
    public sealed class Unused() : View<Example>(v => { var g = v.Join<Good>((s, r) => s.Key == r.Key, Hour); v.Select(s => new(s.Number)); });
    public sealed class NotGuarded() : View<Whole>(v => { var g = v.Join<Good>((s, r) => s.Key == r.Key, Hour); v.Select(s => new(g.Row.Number)); });
    public sealed class NotLearnable() : View<Timed>(v => v.Select(s => new(s.When)));
    public sealed class NoSelectView() : View<Example>(v => { });
    public sealed class TwoSelects() : View<Example>(v => { v.Select(s => new(1)); v.Select(s => new(2)); });
    public sealed class NotNew() : View<Example>(v => v.Select(s => Make(s)));
    public sealed class Inline() : View<Example>(v => v.Select(s => new(v.Join<Good>((x, r) => x.Key == r.Key, Hour, false, Known.AtEventTime).Row.Value)));
    public sealed class BadLabel() : View<Example>(v => { v.Label<Outcome, DateTime>((s, r) => s.Key == r.Key, Hour, r => r.At); v.Select(s => new(s.Number)); });
    public sealed class TwoLabels() : View<Example>(v => { v.Label<Outcome, bool>((s, r) => s.Key == r.Key, Hour, r => r.Value > 1); v.Label<Outcome, float>((s, r) => s.Key == r.Key, Hour, r => r.Value); v.Select(s => new(s.Number)); });
    public sealed class NoHorizon() : View<Example>(v => { v.Label<Outcome, bool>((s, r) => s.Key == r.Key, TimeSpan.Zero, r => r.Value > 1); v.Select(s => new(s.Number)); });
    public sealed class Leaking() : View<Example>(v => { var g = v.Join<Outcome>((s, r) => s.Key == r.Key, Hour); v.Label<Outcome, bool>((s, r) => s.Key == r.Key, Hour, r => r.Value > 1); v.Select(s => new(g.Row.Value)); });
    public sealed class NegativeAge() : View<Example>(v => { var g = v.Join<Good>((s, r) => s.Key == r.Key, -Hour); v.Select(s => new(g.Row.Value)); });

    private static Example Make(Spine spine) => new(spine.Number);

    [Theory]
    [InlineData(typeof(NotEqual), "NotEqual, join 1 (Good): '(s.Number > 3)' is not of the form key == key; joins are equalities combined with &&.")]
    [InlineData(typeof(NoKeyJoin), "NoKeyJoin, join 1 (Good): Good.Number is not an entity key (its keys are Key); join on keys, or mark it [EntityKey].")]
    [InlineData(typeof(Unbound), "Unbound, join 1 (Pair): key Pair.B is not bound; add '&& … == r.B'.")]
    [InlineData(typeof(BoundTwice), "BoundTwice, join 1 (Good): key Good.Key is bound twice; compare it once.")]
    [InlineData(typeof(OtherType), "OtherType, join 1 (Pair): 's.Number' is Int32 but key Pair.B is Byte; make them the same type.")]
    [InlineData(typeof(TooLarge), "much' is Int32 but key Pair.B is Byte; make them the same type.")]
    [InlineData(typeof(SameSide), "SameSide, join 1 (Pair): '(r.A == r.A)' must compare something of Spine, or a constant, with a key of Pair.")]
    [InlineData(typeof(Unused), "Unused: join 1 (Good) is never read in Select; remove it, or use its Row.")]
    [InlineData(typeof(NotGuarded), "NotGuarded: Whole.Value is Int32, which cannot be missing, but reads join 'g'; write 'g.Exists ? … : fallback', or make it float or Int32?.")]
    [InlineData(typeof(NotLearnable), "NotLearnable: Timed.Value is DateTime, which is no model input; compute a number or a string from it in Select (for example .Hour).")]
    [InlineData(typeof(NoSelectView), "NoSelectView: Define never calls Select; end it with view.Select(f => new Example(…)).")]
    [InlineData(typeof(TwoSelects), "TwoSelects: Define calls Select 2 times; call it once.")]
    [InlineData(typeof(NotNew), "NotNew: Select must be 's => new Example(…)'; move other code into the arguments.")]
    [InlineData(typeof(Inline), "Inline: Example.Value uses a join that no local variable holds")]
    [InlineData(typeof(BadLabel), "BadLabel, label (Outcome): the label is DateTime; make it bool (binary), float (regression), or an enum or string (classes).")]
    [InlineData(typeof(TwoLabels), "TwoLabels: Define calls Label 2 times; a view has one label.")]
    [InlineData(typeof(NoHorizon), "NoHorizon, label (Outcome): within is 00:00:00")]
    [InlineData(typeof(Leaking), "Leaking, label (Outcome): Outcome is joined as a feature as well")]
    [InlineData(typeof(NegativeAge), "NegativeAge, join 1 (Good): maxAge is -01:00:00")]
    public void Of_a_view(Type view, string error) => Errors(view).ShouldContain(e => e.Contains(error));

    [Fact]
    public void All_mistakes_of_one_definition_are_listed_at_once() => Errors(typeof(Many)).Count.ShouldBe(3);

    public sealed class Many() : View<Whole>(v =>
    {
        var first = v.Join<Good>((s, r) => s.Number == r.Number, Hour);
        var second = v.Join<Pair>((s, r) => s.Key == r.A, Hour);
        v.Label<Outcome, DateTime>((s, r) => s.Key == r.Key, Hour, r => r.At);
        v.Select(s => new(first.Row.Number + (int)second.Row.Value));
    });

    private static List<string> Errors(Type type)
    {
        var errors = new List<string>();
        (FeatureDefinitions.TryCreatePipeline(type, MemoryStoreExtensions.NoServices, errors) ?? (object?)FeatureDefinitions.TryCreateView(type, MemoryStoreExtensions.NoServices, errors)).ShouldBeNull();
        return errors;
    }
}
