using System.Globalization;
using System.Text;
using System.Text.Json;

namespace AiWorkflows.Benchmarks;

/// <summary>One aim of the performance page and what came of it.</summary>
internal sealed record Aim(string What, double Reached, string Comparison, double Bound)
{
    public bool IsMet => Reaches(Bound);

    public bool Reaches(double bound) => Comparison == "<=" ? Reached <= bound : Reached >= bound;
}

/// <summary>An aim that is known to be missed.</summary>
/// <param name="Aim">What it is about, word for word.</param>
/// <param name="Until">How far from the aim it may be, in the aim's unit; beyond that it is missed anew.</param>
/// <param name="Reason">Why, for the table.</param>
internal sealed record Waiver(string Aim, double Until, string Reason)
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>Those of the committed file.</summary>
    public static IReadOnlyList<Waiver> Read() => JsonSerializer.Deserialize<Waiver[]>(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "waivers.json")), Options)!;
}

/// <summary>All aims of one run, beside what is waived.</summary>
internal sealed class Results(IReadOnlyList<(string Benchmark, Aim Aim)> aims, IReadOnlyList<Waiver> waivers)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public bool AllMetOrWaived => aims.All(a => a.Aim.IsMet || IsWaived(a.Aim));

    public void Print()
    {
        Console.WriteLine();
        foreach (var (_, aim) in aims)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {State(aim),-8} {aim.What}: {aim.Reached:#,0.##} (aim {aim.Comparison} {aim.Bound:#,0.##}){(aim.IsMet || Of(aim) is not { } waiver ? "" : $"; {waiver.Reason}")}"));
    }

    /// <summary>A table for people and the same for programs.</summary>
    public void Write(string directory, int rounds)
    {
        var machine = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} processors, {System.Runtime.InteropServices.RuntimeInformation.OSDescription}, .NET {Environment.Version}, {rounds} rounds");
        var table = new StringBuilder($"{machine}\n\n| what | reached | aim | |\n|---|---|---|---|\n");
        foreach (var (_, aim) in aims)
            table.Append(CultureInfo.InvariantCulture, $"| {aim.What} | {aim.Reached:#,0.##} | {aim.Comparison} {aim.Bound:#,0.##} | {State(aim)}{(aim.IsMet || Of(aim) is not { } waiver ? "" : $": {waiver.Reason}")} |\n");
        File.WriteAllText(Path.Combine(directory, "results.md"), table.ToString());
        File.WriteAllText(Path.Combine(directory, "results.json"), JsonSerializer.Serialize(new
        {
            machine,
            aims = aims.Select(a => new { benchmark = a.Benchmark, what = a.Aim.What, reached = a.Aim.Reached, comparison = a.Aim.Comparison, bound = a.Aim.Bound, state = State(a.Aim), reason = a.Aim.IsMet ? null : Of(a.Aim)?.Reason }),
        }, Indented));
        Console.WriteLine();
        Console.WriteLine($"Written: {Path.Combine(directory, "results.md")} and results.json");
    }

    private string State(Aim aim) => aim.IsMet ? "met" : IsWaived(aim) ? "waived" : "NOT MET";

    private bool IsWaived(Aim aim) => Of(aim) is { } waiver && aim.Reaches(waiver.Until);

    private Waiver? Of(Aim aim) => waivers.FirstOrDefault(w => w.Aim == aim.What);
}
