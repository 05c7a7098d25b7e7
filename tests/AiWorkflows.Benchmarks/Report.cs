using System.Globalization;

namespace AiWorkflows.Benchmarks;

/// <summary>Tables for people.</summary>
internal static class Report
{
    public static void Rounds(string title, IEnumerable<(string Side, IReadOnlyList<Measurement> Rounds)> sides)
    {
        Console.WriteLine();
        Console.WriteLine(title);
        Console.WriteLine($"  {"side",-44} {"median",9} {"fastest",9} {"slowest",9} {"rows/s",12} {"resident",10} {"own",9}");
        foreach (var (side, rounds) in sides)
        {
            var median = Measurement.Median(rounds.Select(r => r.Seconds));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {side,-44} {median,7:F2} s {rounds.Min(r => r.Seconds),7:F2} s {rounds.Max(r => r.Seconds),7:F2} s {rounds[0].Rows / median,12:N0} {rounds.Max(r => r.ResidentBytes) / 1048576.0,7:F0} MB {rounds.Max(r => r.OwnBytes) / 1048576.0,6:F0} MB"));
        }
    }
}
