using AiWorkflows.Features;

namespace AiWorkflows.Tests.Features;

public sealed class CanonicalValuesTests
{
    public enum Kind { First, Second }

    [FeatureGroup("everything")]
    public sealed record Everything([EntityKey(MaxLength = 10)] string Key, [EntityKey] Guid Id, [EventTime] DateTime At)
    {
        public float Rate { get; init; }
        public float? OptionalRate { get; init; }
        public double Exact { get; init; }
        [Feature(Precision = 6, Scale = 2)] public decimal Amount { get; init; }
        public decimal? OptionalAmount { get; init; }
        public Kind Kind { get; init; }
        public Kind? OptionalKind { get; init; }
        public DateTime? Later { get; init; }
        public DateOnly Day { get; init; }
        public bool? Flag { get; init; }
        public byte Small { get; init; }
        public short? Medium { get; init; }
        public int Whole { get; init; }
        public long? Large { get; init; }
        [Feature(MaxLength = 5)] public string? Text { get; init; }
        [Feature(VectorLength = 2)] public float[]? Vector { get; init; }
    }

    private static readonly DateTime At = new(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
    private static readonly RowCodec<Everything> Codec = RowCodec<Everything>.Instance;
    private static readonly Everything Plain = new("LAX", Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), At);

    [Fact]
    public void A_canonical_row_is_not_copied() => Codec.Canonicalize(Plain).ShouldBeSameAs(Plain);

    [Fact]
    public void NaN_in_a_nullable_number_is_missing_and_negative_zero_is_zero()
    {
        var row = Codec.Canonicalize(Plain with { OptionalRate = float.NaN, Rate = -0f, Exact = -0d, Vector = [-0f, float.NaN] });

        row.OptionalRate.ShouldBeNull();
        float.IsNegative(row.Rate).ShouldBeFalse();
        double.IsNegative(row.Exact).ShouldBeFalse();
        float.IsNegative(row.Vector![0]).ShouldBeFalse();
        float.IsNaN(row.Vector[1]).ShouldBeTrue();
    }

    [Fact]
    public void Times_are_cut_to_microseconds()
    {
        var row = Codec.Canonicalize(Plain with { At = At.AddTicks(19), Later = At.AddTicks(9) });

        row.At.ShouldBe(At.AddTicks(10));
        row.Later.ShouldBe(At);
    }

    [Fact]
    public void Decimals_are_rounded_to_their_scale_half_away_from_zero() =>
        Codec.Canonicalize(Plain with { Amount = -12.345m }).Amount.ShouldBe(-12.35m);

    public static TheoryData<string, string> Refused => new()
    {
        { nameof(Everything.Rate), "column rate: infinity" },
        { nameof(Everything.Amount), "column amount: 12345.6 does not fit decimal(6,2)" },
        { nameof(Everything.Kind), "column kind: 7 is no member of Kind" },
        { nameof(Everything.Later), "column later: the time 2001-02-03T04:05:06 is Local" },
        { nameof(Everything.At), "column at: the time 2001-02-03T04:05:06 is Unspecified" },
        { nameof(Everything.Text), "column text: 6 characters, at most 5" },
        { nameof(Everything.Vector), "column vector: a vector of 1 elements, declared are 2" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_value_that_cannot_be_stored_fails_and_names_group_row_and_column(string property, string message)
    {
        var row = property switch
        {
            nameof(Everything.Rate) => Plain with { Rate = float.PositiveInfinity },
            nameof(Everything.Amount) => Plain with { Amount = 12345.6m },
            nameof(Everything.Kind) => Plain with { Kind = (Kind)7 },
            nameof(Everything.Later) => Plain with { Later = DateTime.SpecifyKind(At, DateTimeKind.Local) },
            nameof(Everything.At) => Plain with { At = DateTime.SpecifyKind(At, DateTimeKind.Unspecified) },
            nameof(Everything.Text) => Plain with { Text = "abcdef" },
            _ => Plain with { Vector = [1] },
        };

        var error = Should.Throw<StageFailedException>(() => Codec.Canonicalize(row)).Message;

        error.ShouldStartWith("everything v1: row [\"LAX\", 00112233-4455-6677-8899-aabbccddeeff] at 2001-02-03T04:05:06");
        error.ShouldContain(message);
    }

    [Theory]
    [InlineData("LAX ", "ends with a space")]
    [InlineData("L\tX", "control character U+0009")]
    [InlineData("ABCDEFGHIJK", "11 characters, at most 10")]
    [InlineData(null, "null")]
    public void A_key_that_engines_would_compare_differently_is_refused(string? key, string message) =>
        Should.Throw<StageFailedException>(() => Codec.Canonicalize(Plain with { Key = key! })).Message.ShouldContain(message);

    [Theory]
    [InlineData('\ud800')]
    [InlineData('\udc00')]
    public void Half_of_a_surrogate_pair_is_refused_in_keys_and_texts(char half)
    {
        Should.Throw<StageFailedException>(() => Codec.Canonicalize(Plain with { Key = "L" + half + "X" })).Message.ShouldContain("column key: text with half of a surrogate pair at position 1");
        Should.Throw<StageFailedException>(() => Codec.Canonicalize(Plain with { Text = "L" + half })).Message.ShouldContain("column text: text with half of a surrogate pair");
        Codec.Canonicalize(Plain with { Key = "\U0001F600" }).Key.ShouldBe("\U0001F600");
    }

    [Fact]
    public void Keys_are_ordered_by_their_UTF8_bytes()
    {
        var texts = new[] { "", "a", "B", "z", "é", "\uE000", "\uFFFD", "\U0001F600", "a\U0001F600", "a\uFFFD", "\U00010000", "aa" };

        foreach (var a in texts)
            foreach (var b in texts)
                Math.Sign(KeyOrder.Compare(a, b)).ShouldBe(Math.Sign(System.Text.Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(System.Text.Encoding.UTF8.GetBytes(b))), $"'{a}' and '{b}'");
    }

    [Fact]
    public async Task Every_type_comes_back_from_a_store_as_it_went_in()
    {
        var rows = Enumerable.Range(0, 50).Select(i => Full(i)).ToArray();
        var store = new InMemoryFeatureStore(TimeProvider.System);

        await store.CommitAsync(rows);

        var read = await store.ReadAsync<Everything>(new(At, At.AddDays(1)));
        read.Count.ShouldBe(rows.Length);
        foreach (var (row, back) in rows.Zip(read))
        {
            Codec.Compare(row, back).ShouldBe(0);
            Codec.SameFeatures(row, back).ShouldBeTrue();
            Codec.Json(back).ShouldBe(Codec.Json(row));
        }
    }

    [Fact]
    public void A_row_comes_back_from_its_JSON()
    {
        var row = Full(3);

        var json = Codec.Json(row);

        Codec.SameFeatures(Codec.FromJson(json), row).ShouldBeTrue();
        Codec.Compare(Codec.FromJson(json), row).ShouldBe(0);
        json.ShouldContain("\"kind\":\"Second\"");
        json.ShouldContain("\"at\":\"2001-02-03T04:05:09Z\"");
    }

    [Fact]
    public void Rows_that_differ_in_any_feature_are_not_the_same()
    {
        var row = Full(3);
        Everything[] others =
        [
            row with { Rate = 99 }, row with { OptionalRate = null }, row with { Exact = float.NaN }, row with { Amount = 0 }, row with { Kind = Kind.First }, row with { OptionalKind = null },
            row with { Later = null }, row with { Day = default }, row with { Flag = null }, row with { Small = 200 }, row with { Medium = null }, row with { Whole = -1 }, row with { Large = 4 },
            row with { Text = null }, row with { Vector = [1, 2] }, row with { Vector = null },
        ];

        Codec.SameFeatures(row, row with { Vector = [.. row.Vector!] }).ShouldBeTrue();
        others.ShouldAllBe(other => !Codec.SameFeatures(row, other));
    }

    private static Everything Full(int i) => new($"K{i}", Plain.Id, At.AddSeconds(i))
    {
        Rate = i * 0.1f, OptionalRate = i % 3 == 0 ? 0.5f : null, Exact = i % 5 == 0 ? double.NaN : i / 3d, Amount = i - 12.25m, OptionalAmount = i % 2 == 0 ? null : i,
        Kind = (Kind)(i % 2), OptionalKind = i % 3 == 0 ? Kind.First : null, Later = At.AddTicks(i * 10), Day = new DateOnly(1960, 1, 1).AddDays(i * 300), Flag = i % 3 == 0 ? true : null,
        Small = (byte)i, Medium = i % 4 == 3 ? (short)-i : null, Whole = -i, Large = i % 7 == 3 ? long.MaxValue - i : null, Text = i % 3 == 0 ? "é" + i : null, Vector = [i, float.NaN],
    };
}
