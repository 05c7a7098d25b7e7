using AiWorkflows.Features;

namespace AiWorkflows.Tests.Features;

public sealed class RowSorterTests
{
    [FeatureGroup("sorted")]
    public sealed record Row([EntityKey] string A, [EntityKey] int B, [EventTime] DateTime At, float Value, string? Text);

    private static readonly DateTime Start = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData(0, 100, 0)]
    [InlineData(100, 100, 0)]
    [InlineData(101, 100, 1)]
    [InlineData(5000, 700, 7)]
    public void Rows_come_in_canonical_order_whether_they_fit_in_memory_or_not(int rows, int buffer, int spilled)
    {
        var random = new Random(rows);
        var given = Enumerable.Range(0, rows)
            .Select(i => new Row($"{(char)('a' + random.Next(5))}\u00e9", i, Start.AddSeconds(random.Next(40)), random.Next(4) == 0 ? float.NaN : i, random.Next(3) == 0 ? null : $"t{i}"))
            .OrderBy(_ => random.Next()).ToArray();
        using var sorter = new RowSorter<Row>(buffer);

        foreach (var row in given)
            sorter.Add(row);
        var sorted = sorter.Sorted().ToArray();

        sorter.Spilled.ShouldBe(spilled);
        sorted.ShouldBe(given.OrderBy(r => r.At).ThenBy(r => r.A, StringComparer.Ordinal).ThenBy(r => r.B));
    }

    [Fact]
    public void Its_temporary_files_are_gone_when_it_is_disposed()
    {
        string[] Files() => Directory.GetFiles(Path.GetTempPath(), "aiworkflows-sort-*");
        var before = Files();
        using (var sorter = new RowSorter<Row>(10))
        {
            for (var i = 0; i < 100; i++)
                sorter.Add(new("a", 100 - i, Start, i, null));
            sorter.Sorted().Take(50).Count().ShouldBe(50);
        }

        Files().Except(before).ShouldBeEmpty();
    }
}
