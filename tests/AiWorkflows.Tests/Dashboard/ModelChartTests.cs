using AiWorkflows.Hosting.Dashboard.Charts;
using System.Text.RegularExpressions;
using AiWorkflows.Hosting.Dashboard.Models;
using AiWorkflows.Storage.Queries;
using CsCheck;

namespace AiWorkflows.Tests.Dashboard;

public sealed class ModelChartTests
{
    [Fact]
    public void An_axis_holds_its_values_with_few_round_ticks() => Gen.Select(Gen.Double[-100, 100], Gen.Double[0.001, 200]).Sample((low, span) =>
    {
        var axis = LiveMetric.Round(low, low + span);
        axis.Min.ShouldBeLessThanOrEqualTo(low + 1e-9);
        axis.Max.ShouldBeGreaterThanOrEqualTo(low + span - 1e-9);
        axis.Ticks.Count.ShouldBeInRange(2, 8);
    });

    [Fact]
    public void The_ROC_is_drawn_beside_that_of_the_strongest_baseline()
    {
        var html = ModelCharts.Roc(Version("""{"roc":[0,0.5,1]}""", """{"prior":{"auc":0.5,"roc":[0,0.4,1]},"route <hour>":{"auc":0.7,"roc":[0,0.45,1]}}""")).ToString();
        Regex.Count(html, "<path class=\"aw-l [^\"]*\" d=\"M0 ").ShouldBeGreaterThanOrEqualTo(3);
        html.ShouldContain("route &lt;hour&gt;");
        html.ShouldNotContain("prior");
    }

    [Fact]
    public void Importance_is_listed_from_the_greatest_on()
    {
        var html = ModelCharts.Importance(Version("{}", "{}") with { FeatureImportance = new JsonText("""{"small":0.1,"great":0.7,"<b>":0.2}""") }).ToString();
        html.IndexOf("great", StringComparison.Ordinal).ShouldBeLessThan(html.IndexOf("small", StringComparison.Ordinal));
        html.ShouldContain("&lt;b&gt;");
        html.ShouldContain("70.0%");
    }

    private static VersionDetail Version(string metrics, string baselines) => new()
    {
        Model = "m", Version = 1, Pipeline = "p", Task = "binary", Trainer = "t", View = "v", ViewFingerprint = "f", PrimaryMetric = "auc", Promotion = "", ContentSha256 = "c", ArtifactSha256 = "a",
        CodeVersion = "x", Metrics = new JsonText(metrics), BaselineMetrics = new JsonText(baselines),
    };
}
