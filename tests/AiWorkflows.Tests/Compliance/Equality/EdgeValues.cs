using System.Text;

namespace AiWorkflows.Tests.Compliance.Equality;

/// <summary>Random values, half of them at an edge: where engines round, fold, merge, trim or sort by rules of their own.</summary>
internal sealed class EdgeValues(int seed)
{
    private static readonly string[] Names =
    [
        "", "a", "A", "á", "a\u0301", "ａ", "ß", "ss", "ﬁ", "fi", "I", "i", "ı", "İ", "Å", "\u212B", "Ω", "\u2126", "漢", "\uF9A9", "😀", "\U00010000", "\U0010FFFF", "\uE000", "\uFFFD", "a b", " a", "a\u00A0",
        "\u200Ba", "'", "\"", "[x]", "%", "_", "\\", "-", "ａb", "zz", "ÿ", "Ж", "ж", "œ", "oe", "æ", "ae", "１", "1", "²", "2",
    ];

    private static readonly string[] Texts = [.. Names, "a ", "a  ", " ", "  ", "\t", "x\ny", "x\r\ny", "\u0001", "\u007F", "{\"a\": 1}", "NULL", "null", "NaN", "0", new string('x', 4000), new string('漢', 4000)];

    private static readonly DateTime[] Times =
    [
        DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc), DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc), Utc(1, 1, 1).AddMicroseconds(1), Utc(1582, 10, 10), Utc(1752, 12, 31), Utc(1899, 12, 30),
        Utc(1969, 12, 31).AddDays(1).AddMicroseconds(-1), DateTime.UnixEpoch, Utc(2000, 2, 29), Utc(2001, 1, 1), Utc(2001, 1, 1).AddMicroseconds(-1), Utc(2001, 1, 1).AddMicroseconds(1), Utc(2038, 1, 19),
    ];

    private readonly Random _random = new(seed);

    public Random Random => _random;

    public string Name() => Half() ? Pick(Names) : Trimmed(Letters(12));

    public string Text() => Half() ? Pick(Texts) : Letters(200);

    /// <summary>At most 256 characters, as labels are; with spaces at the end.</summary>
    public string Label() => Half() ? Pick(Texts) is { Length: <= 256 } text ? text : "  " : Letters(100);

    public float Single() => Half()
        ? Pick([0f, -0f, float.NaN, float.Epsilon, -float.Epsilon, 1.17549421E-38f, 1.17549435E-38f, float.MaxValue, float.MinValue, 0.1f, 1 / 3f, 16_777_217f])
        : Finite(BitConverter.Int32BitsToSingle(_random.Next(int.MinValue, int.MaxValue)));

    public double Double() => Half()
        ? Pick([0d, -0d, double.NaN, double.Epsilon, -double.Epsilon, 2.2250738585072009E-308, 2.2250738585072014E-308, double.MaxValue, double.MinValue, 0.1, 1 / 3d, 9_007_199_254_740_993d])
        : Finite(BitConverter.Int64BitsToDouble(_random.NextInt64(long.MinValue, long.MaxValue)));

    public decimal Decimal(int precision, int scale)
    {
        var largest = (long)Math.Pow(10, precision) - 1;
        var digits = Half() ? Pick([0L, 1, -1, largest, -largest, 10, -100]) : _random.NextInt64(-largest, largest);
        var magnitude = Math.Min(Math.Abs(digits), precision == 18 ? 999_999_999_999_999_999 : largest);
        return new decimal((int)(magnitude & 0xFFFFFFFF), (int)(magnitude >> 32), 0, digits < 0, (byte)scale);
    }

    public long Long() => Half() ? Pick([0L, 1, -1, long.MaxValue, long.MinValue, int.MaxValue, (long)int.MaxValue + 1, 9_007_199_254_740_993]) : _random.NextInt64(long.MinValue, long.MaxValue);

    public int Int() => Half() ? Pick([0, 1, -1, int.MaxValue, int.MinValue, short.MaxValue + 1]) : _random.Next(int.MinValue, int.MaxValue);

    public short Short() => Half() ? Pick<short>([0, 1, -1, short.MaxValue, short.MinValue]) : (short)_random.Next(short.MinValue, short.MaxValue);

    public byte Byte() => Half() ? Pick<byte>([0, 1, 127, 128, 255]) : (byte)_random.Next(256);

    public bool Half() => _random.Next(2) == 0;

    public DateTime Time() => Half() ? Pick(Times) : DateTime.UnixEpoch.AddMicroseconds(_random.NextInt64(-50_000_000_000_000_000, 200_000_000_000_000_000));

    public DateOnly Date() => Half() ? Pick([DateOnly.MinValue, DateOnly.MaxValue, new(1970, 1, 1), new(1969, 12, 31), new(1582, 10, 10), new(2000, 2, 29)]) : DateOnly.FromDayNumber(_random.Next(DateOnly.MaxValue.DayNumber));

    public Guid Guid() => Half() ? Pick([System.Guid.Empty, System.Guid.AllBitsSet, new("00112233-4455-6677-8899-aabbccddeeff"), new("ff000000-0000-0000-0000-000000000000"), new("00000000-0000-0000-0000-0000000000ff")]) : NewGuid();

    public EdgeKind Kind() => Pick(Enum.GetValues<EdgeKind>());

    public float[] Vector(int length) => [.. Enumerable.Range(0, length).Select(_ => Single())];

    /// <summary>A time inside of the window, often its first or last microsecond or one beside a midnight.</summary>
    public DateTime Within(Window window)
    {
        var length = (window.To - window.From).Ticks / TimeSpan.TicksPerMicrosecond;
        var offset = _random.Next(5) switch
        {
            0 => 0,
            1 => length - 1,
            2 => Math.Min(86_400_000_000 - 1, length - 1),
            3 => Math.Min(86_400_000_000, length - 1),
            _ => _random.NextInt64(length),
        };
        return window.From.AddTicks(offset * TimeSpan.TicksPerMicrosecond);
    }

    public T? Maybe<T>(Func<T> value) where T : struct => _random.Next(4) == 0 ? null : value();

    public T? MaybeNull<T>(Func<T> value) where T : class => _random.Next(4) == 0 ? null : value();

    public T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];

    /// <summary>Keys that begin like each other, so that order and equality are tried.</summary>
    public Edge Row(Window window) => WithFeatures(new Edge(Name(), Guid(), Kind(), Date(), Byte(), Short(), Int(), Long(), Within(window)));

    public Edge WithFeatures(Edge row) => row with
    {
        Text = Text(), OptionalText = MaybeNull(Text), LongText = _random.Next(10) == 0 ? Letters(9_000) : MaybeNull(Name), Flag = Half(), OptionalFlag = Maybe(Half), OptionalSmall = Maybe(Byte), OptionalMedium = Maybe(Short),
        OptionalWhole = Maybe(Int), OptionalLarge = Maybe(Long), Rate = Single(), OptionalRate = Maybe(Single), Exact = Double(), OptionalExact = Maybe(Double), Amount = Decimal(18, 4), Fraction = Maybe(() => Decimal(18, 18)),
        Count = Maybe(() => Decimal(18, 0)), Price = Maybe(() => Decimal(5, 2)), OptionalKind = Maybe(Kind), Seen = Time(), OptionalSeen = Maybe(Time), Since = Date(), OptionalSince = Maybe(Date), Tag = Guid(),
        OptionalTag = Maybe(Guid), Vector = MaybeNull(() => Vector(3)), WideVector = _random.Next(20) == 0 ? Vector(2_100) : null,
    };

    public string Letters(int most)
    {
        var text = new StringBuilder();
        for (var length = _random.Next(most); text.Length < length;)
            text.Append(new Rune(_random.Next(6) switch
            {
                0 => _random.Next(0x10000, 0x110000),
                1 => _random.Next(0xE000, 0xFFFE),
                2 => _random.Next(0x300, 0x370),
                3 => _random.Next(0xA0, 0xD800),
                _ => _random.Next(0x20, 0x7F),
            }).ToString());
        return text.ToString();
    }

    private static string Trimmed(string text) => text.TrimEnd(' ');

    private float Finite(float value) => float.IsFinite(value) ? value : _random.Next();

    private double Finite(double value) => double.IsFinite(value) ? value : _random.NextDouble();

    private Guid NewGuid()
    {
        var bytes = new byte[16];
        _random.NextBytes(bytes);
        return new(bytes);
    }

    private static DateTime Utc(int year, int month, int day) => new(year, month, day, 0, 0, 0, DateTimeKind.Utc);
}
