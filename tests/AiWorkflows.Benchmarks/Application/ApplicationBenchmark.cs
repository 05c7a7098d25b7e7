using System.Diagnostics;
using System.Globalization;

namespace AiWorkflows.Benchmarks.Application;

/// <summary>The reference application as a user meets it: its main job from nothing, and how soon after its start a host answers.</summary>
internal static class ApplicationBenchmark
{
    /// <param name="directory">Where a run of the reference application is, or is made.</param>
    public static async Task<IReadOnlyList<Aim>> RunAsync(int rounds, string directory, CancellationToken ct)
    {
        var run = new ReferenceRun(directory);
        await run.EnsureAsync(ct);
        var (jobs, live, prediction) = (new List<(double Seconds, long PeakBytes)>(), new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            var fresh = Directory.CreateTempSubdirectory("aiworkflows-bench-").FullName;
            try
            {
                jobs.Add(await new ReferenceRun(fresh).RunAsync(ct));
            }
            finally
            {
                Directory.Delete(fresh, recursive: true);
            }
            var watch = Stopwatch.StartNew();
            using var server = await run.ServeAsync(ct);
            using var http = new HttpClient { BaseAddress = new($"http://{server.Address}") };
            live.Add(await FirstAsync(watch, () => http.GetAsync(new Uri("/health/live", UriKind.Relative), ct)));
            prediction.Add(await FirstAsync(watch, () => http.PostAsync(new Uri("/api/models/flight-delay/predictions", UriKind.Relative), new StringContent("""{"instances":[{"flight_id":1}]}""", null, "application/json"), ct)));
        }
        Console.WriteLine();
        Console.WriteLine("The reference application, built; processes of its own");
        foreach (var (seconds, peak) in jobs)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  run flight-delays {seconds,6:F1} s, peak {peak / 1048576.0,5:F0} MB"));
        for (var i = 0; i < live.Count; i++)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  serve: first answer after {live[i]:F2} s, first prediction after {prediction[i]:F2} s"));
        return
        [
            new("application: seconds of run flight-delays", Measurement.Median(jobs.Select(j => j.Seconds)), "<=", 30),
            new("application: MB at the peak of run flight-delays", jobs.Max(j => j.PeakBytes) / 1048576.0, "<=", 600),
            new("application: seconds from the start of a host to its first answer", Measurement.Median(live), "<=", 3),
            new("application: seconds from the start of a host to its first prediction", Measurement.Median(prediction), "<=", 3),
        ];
    }

    /// <summary>Seconds until there is an answer other than "not yet".</summary>
    private static async Task<double> FirstAsync(Stopwatch watch, Func<Task<HttpResponseMessage>> ask)
    {
        while (true)
        {
            using var response = await ask();
            if (response.StatusCode != System.Net.HttpStatusCode.ServiceUnavailable)
                return response.IsSuccessStatusCode ? watch.Elapsed.TotalSeconds : throw new InvalidOperationException($"The first answer is {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
            await Task.Delay(20);
        }
    }
}
