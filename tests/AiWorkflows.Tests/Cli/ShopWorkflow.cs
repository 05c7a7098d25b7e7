using System.Runtime.CompilerServices;
using Microsoft.ML;

namespace AiWorkflows.Tests.Cli;

// A workflow small enough for tests of the command line: 40 visits a day to two shops, each of which ends in a purchase or not.

[FeatureGroup("visits")]
public sealed record Visit([EntityKey] long VisitId, [EventTime] DateTime At, string Shop, float Basket);

[FeatureGroup("purchases", Description = "Whether a visit ended in a purchase")]
public sealed record Purchase([EntityKey] long VisitId, [EventTime] DateTime KnownAt, string Shop, float Amount);

[FeatureGroup("shop_sales")]
public sealed record ShopSales([EntityKey] string Shop, [EventTime] DateTime At, int Visits1d, float Amount1d);

/// <summary>What the shop's till has recorded; the same for every process that asks.</summary>
public static class Till
{
    public static readonly DateTime Opening = new(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    public const int VisitsPerDay = 40;

    public static IEnumerable<(long Id, DateTime At, DateTime KnownAt, string Shop, float Basket, float Amount)> Read(Window window)
    {
        for (var day = (int)(window.From - Opening).TotalDays - 1; day < (window.To - Opening).TotalDays; day++)
            for (var n = 0; n < VisitsPerDay && day >= 0; n++)
            {
                var id = day * 1000L + n;
                var random = new Random((int)(id * 7919));
                var basket = (float)Math.Round(random.NextDouble() * 100, 2);
                var buys = random.NextDouble() < basket / 100;
                var at = Opening.AddDays(day).AddMinutes(n * 30);
                // One purchase a week was typed wrong.
                yield return (id, at, at.AddHours(2), n % 2 == 0 ? "north" : "south", basket, day % 7 == 3 && n == 5 ? -1000 : buys ? basket : 0);
            }
    }
}

public sealed class VisitPipeline(ShopFiles files) : BatchFeaturePipeline<Visit>
{
    public override async IAsyncEnumerable<Visit> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        if (File.Exists(Path.Combine(files.Directory, "closed")))
            throw new StageFailedException("The shop is closed; open it and resume the run.");
        if (File.Exists(Path.Combine(files.Directory, "slow")))
        {
            await File.WriteAllTextAsync(Path.Combine(files.Directory, "visiting"), "", ct);
            await Task.Delay(Timeout.Infinite, ct);
        }
        foreach (var v in Till.Read(window))
            if (window.Contains(v.At))
                yield return new(v.Id, v.At, v.Shop, v.Basket);
    }
}

public sealed class PurchasePipeline(ShopFiles files) : BatchFeaturePipeline<Purchase>
{
    public override async IAsyncEnumerable<Purchase> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        foreach (var v in Till.Read(window))
            if (window.Contains(v.KnownAt))
                yield return new(v.Id, v.KnownAt, v.Shop, v.Amount);
    }

    protected internal override void Expect(Expectations<Purchase> e) => e.InRange(p => p.Amount, File.Exists(Path.Combine(files.Directory, "refunds")) ? -2000 : 0, 1000, OnViolation.Quarantine);
}

public sealed class ShopSalesPipeline : AggregateFeaturePipeline<Purchase, ShopSales>
{
    protected internal override void Define(AggregationBuilder<Purchase, ShopSales> events) => events
        .By(p => p.Shop).Every(TimeSpan.FromHours(1))
        .Select(g => new ShopSales(g.Key, g.End, g.Last(TimeSpan.FromDays(1)).Count(), g.Last(TimeSpan.FromDays(1)).Mean(p => p.Amount)));
}

public sealed record BuyExample(float Basket, float Visits, float Amount);

public sealed class BuyView(ShopFiles files) : FeatureView<Visit, BuyExample>
{
    protected internal override void Define(FeatureViewBuilder<Visit, BuyExample> view)
    {
        var sales = view.Join<ShopSales>(on: (v, s) => v.Shop == s.Shop, maxAge: TimeSpan.FromDays(2));
        view.Label<Purchase, bool>(on: (v, p) => v.VisitId == p.VisitId, within: TimeSpan.FromHours(6), value: p => p.Amount > 0);
        if (files.RefuseUnknown)
            view.WhenUnknown(UnknownEntity.Refuse);
        view.Select(v => new BuyExample(v.Basket, sales.Exists ? sales.Row.Visits1d : 0, sales.Row.Amount1d));
    }
}

public sealed class BuyTraining : TrainingPipeline<BuyExample>
{
    protected internal override void Define(TrainingBuilder<BuyExample> train) => train
        .Model("buy").Split(history: TimeSpan.FromDays(20), holdout: TimeSpan.FromDays(8))
        .Baseline("constant", _ => 0.5).PromoteWhen((candidate, reference) => candidate.Auc > reference.Auc)
        .Fit((ml, columns) => ml.Transforms.ReplaceMissingValues([.. columns.Numeric.Select(c => new InputOutputColumnPair(c))])
            .Append(ml.Transforms.Concatenate("Features", columns.Numeric))
            .Append(ml.BinaryClassification.Trainers.FastTree(columns.Label, "Features", numberOfTrees: 10, numberOfLeaves: 5, minimumExampleCountPerLeaf: 10)));
}

public sealed record BuyPrediction(float Probability, bool Offer);

public sealed class BuyScoring : BatchInferencePipeline<BuyExample, BuyPrediction>
{
    public override string Model => "buy";

    public override BuyPrediction Decide(BuyExample example, Score score) => new(score.Probability, score.Probability < 0.4f);
}
