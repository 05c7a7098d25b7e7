using System.Diagnostics;

namespace AiWorkflows.Tests.Faults;

/// <summary>A host that is killed with SIGKILL at random instants while clients ask it for predictions.</summary>
public sealed class OnlineKillTests(TrainedMeters trained) : IClassFixture<TrainedMeters>
{
    [Fact]
    public async Task Every_answer_that_a_client_has_got_is_in_the_log_once_however_often_its_host_is_killed()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        const int kills = 20;
        var (random, watch) = (new Random(7), Stopwatch.StartNew());
        using var site = await trained.CopyAsync();
        var port = PredictionClients.FreePort();
        var host = FaultProcess.Serve(site, TrainedMeters.Settings, port);
        try
        {
            await PredictionClients.ReadyAsync(port, host);
            await using var clients = PredictionClients.OfMeters(port, clients: 6);
            for (var kill = 0; kill < kills; kill++)
            {
                await Task.Delay(random.Next(200, 2500), TestContext.Current.CancellationToken);
                host.Kill();
                await host.EndAsync();
                host.WasKilled.ShouldBeTrue();
                host.Dispose();
                host = FaultProcess.Serve(site, TrainedMeters.Settings, port);
                await PredictionClients.ReadyAsync(port, host);
            }
            await clients.StopAsync();
            await clients.CheckLogAsync(site);
            clients.Answers.Count.ShouldBeGreaterThan(50 * kills);
            clients.Unanswered.ShouldBeGreaterThan(kills);

            // Whoever asks again gets the same, whichever host has answered, and nothing is added.
            using var http = PredictionClients.Http(port);
            foreach (var answer in clients.Answers.OrderBy(a => a.RequestId).Where((_, i) => i % Math.Max(1, clients.Answers.Count / 200) == 0))
            {
                using var again = await PredictionClients.PostAsync(http, PredictionClients.Alarm, answer.Body);
                (await again.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe(answer.Text);
            }
            await clients.CheckLogAsync(site);
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{kills} kills, {clients.Answers.Count} answers, {clients.Unanswered} requests that broke off, {clients.Refused} told to come again, {watch.Elapsed.TotalSeconds:0.0} s");
        }
        finally
        {
            host.Dispose();
        }
    }
}
