using AiWorkflows.Features;

namespace AiWorkflows.Tests.Features;

public sealed class FeatureViewTests
{
    public enum Outcomes { Good, Bad }

    [FeatureGroup("orders")] public sealed record Order([EntityKey] long Id, [EventTime] DateTime At, string Customer, string? Referrer, int Items, string Unused);
    [FeatureGroup("customers")] public sealed record Customer([EntityKey] string Name, [EventTime] DateTime At, float Spent, int Visits, float NotRead);
    [FeatureGroup("order_outcomes")] public sealed record OrderOutcome([EntityKey] long Id, [EventTime] DateTime At, Outcomes? Outcome, float NotRead);

    public sealed record OrderExample(float Items, float Spent, int Visits, float? PerVisit, string? Weekday, float ReferrerSpent, bool HasReferrer);

    public sealed class OrderView : FeatureView<Order, OrderExample>
    {
        public static float Threshold { get; set; } = 3;

        protected internal override void Define(FeatureViewBuilder<Order, OrderExample> view)
        {
            var factor = Threshold;
            var customer = view.Join<Customer>((o, c) => o.Customer == c.Name, TimeSpan.FromDays(1));
            var referrer = view.Join<Customer>((o, c) => o.Referrer == c.Name, TimeSpan.FromDays(2));
            view.Label<OrderOutcome, Outcomes?>((o, r) => o.Id == r.Id, TimeSpan.FromHours(2), r => r.Outcome);
            view.Select(o => new OrderExample(
                o.Items * factor, customer.Row.Spent, customer.Exists ? customer.Row.Visits : -1, customer.Row.Spent / customer.Row.Visits, o.At.DayOfWeek.ToString(),
                referrer.Row.Spent, referrer.Exists));
        }
    }

    private static readonly DateTime Start = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly Window Day = new(Start, Start.AddDays(1));
    private readonly FeatureViewDefinition<OrderExample> _view = MemoryStoreExtensions.View<OrderView, OrderExample>();

    [Fact]
    public void Lineage_names_the_variable_the_group_and_the_column_of_every_feature() =>
        _view.Lineage.Select(l => $"{l.Feature} <- {l.Alias}:{l.Group}.{l.Column}").ShouldBe([
            "Items <- spine:orders.items", "Spent <- customer:customers.spent", "Visits <- customer:customers.visits", "PerVisit <- customer:customers.spent", "PerVisit <- customer:customers.visits",
            "Weekday <- spine:orders.at", "ReferrerSpent <- referrer:customers.spent", "HasReferrer <- referrer:customers.at"]);

    [Fact]
    public async Task Only_mapped_columns_are_read_and_a_group_that_is_joined_twice_is_scanned_once()
    {
        var store = new RecordingStore();
        await store.Inner.CommitAsync(new Order(1, Start.AddHours(1), "a", "b", 1, ""));
        await store.Inner.CommitAsync(new Customer("a", Start, 1, 1, 1));
        await store.Inner.CommitAsync(new OrderOutcome(1, Start.AddHours(2), Outcomes.Bad, 1));

        var session = new FeatureReadSession(store, store.Inner.CurrentSeq);
        await foreach (var _ in _view.ReadAsync(session, Day, new(Labels: true, null, EntityKeys: false), default)) { }

        store.Scans.Order().ShouldBe(["customers: at,name,spent,visits", "order_outcomes: at,id,outcome", "orders: at,id,customer,referrer,items"]);
        session.Inputs.Select(i => $"{i.Group} {i.Window}").ShouldBe([
            "customers [1998-12-30, 2001-01-02)".Replace("1998", "2000"), "order_outcomes [2001-01-01, 2001-01-02 02:00:00.000001)", "orders [2001-01-01, 2001-01-02)"]);
    }

    [Fact]
    public async Task What_uses_a_missing_row_is_missing_and_what_asks_decides_for_itself()
    {
        var store = new InMemoryFeatureStore(TimeProvider.System);
        await store.CommitAsync(new Order(1, Start.AddHours(1), "nobody", null, 2, ""), new Order(2, Start.AddHours(1), "a", "a", 2, ""));
        await store.CommitAsync(new Customer("a", Start, 10, 4, 1));

        var examples = await _view.ReadAsync(store, Day);

        examples.Select(e => e.Features).ShouldBe([
            new OrderExample(6, float.NaN, -1, null, "Monday", float.NaN, false),
            new OrderExample(6, 10, 4, 2.5f, "Monday", 10, true)]);
    }

    [Fact]
    public async Task A_class_label_is_text_and_a_missing_one_is_no_label()
    {
        var store = new InMemoryFeatureStore(TimeProvider.System);
        await store.CommitAsync(Enumerable.Range(1, 4).Select(i => new Order(i, Start.AddHours(i), "a", null, 2, "")).ToArray());
        await store.CommitAsync(
            new OrderOutcome(1, Start.AddHours(3), Outcomes.Bad, 1), new OrderOutcome(2, Start.AddHours(3), null, 1), new OrderOutcome(3, Start.AddHours(5).AddMicroseconds(1), Outcomes.Good, 1),
            new OrderOutcome(4, Start.AddHours(4), Outcomes.Good, 1));

        var labels = new List<LabelledKey>();
        await foreach (var label in _view.ReadLabelsAsync(new(store, store.CurrentSeq), Day, default))
            labels.Add(label);

        _view.LabelType.ShouldBe(typeof(Outcomes));
        labels.Select(l => (l.EntityKey, l.HasLabel, l.LabelText)).ShouldBe([("[1]", true, "Bad"), ("[2]", false, null), ("[3]", false, null), ("[4]", false, null)]);
        labels[0].LabelKnownAt.ShouldBe(Start.AddHours(3));
    }

    [Fact]
    public async Task An_example_is_explained_with_the_rows_it_came_from()
    {
        var store = new InMemoryFeatureStore(TimeProvider.System);
        await store.CommitAsync(new Order(7, Start.AddHours(3), "a", "b", 2, ""));
        var commit = await store.CommitAsync<Customer>([(new("a", Start.AddHours(1), 10, 4, 1), false), (new("a", Start.AddHours(4), 99, 9, 1), false)]);

        var explained = await _view.ExplainAsync(new(store, store.CurrentSeq), "[7]", Start.AddHours(3), default);

        explained.ShouldNotBeNull().Example.ShouldBe(new OrderExample(6, 10, 4, 2.5f, "Monday", float.NaN, false));
        explained.Values.Single(v => v.Feature == "Spent").Value.ShouldBe(10f);
        explained.Rows.Select(r => (r.Alias, r.Group, r.Exists, r.Age, r.CommitId)).ShouldBe([("customer", "customers", true, TimeSpan.FromHours(2), commit), ("referrer", "customers", false, null, null)]);
        explained.Rows[0].Columns["spent"].ShouldBe(10f);
        (await _view.ExplainAsync(new(store, store.CurrentSeq), "[8]", Start.AddHours(3), default)).ShouldBeNull();
        (await _view.ExplainAsync(new(store, 0), "[7]", Start.AddHours(3), default)).ShouldBeNull();
    }

    [Fact]
    public async Task People_look_up_the_latest_example_by_key_at_any_time()
    {
        var store = new InMemoryFeatureStore(TimeProvider.System);
        await store.CommitAsync(new Order(7, Start.AddHours(3), "a", null, 2, ""), new Order(7, Start.AddHours(6), "a", null, 5, ""));
        await store.CommitAsync(new Customer("a", Start.AddHours(4), 10, 4, 1));
        Task<ExampleExplanation?> Get(string key, string value, DateTime? at) => _view.GetAsync(new(store, store.CurrentSeq), new Dictionary<string, string> { [key] = value }, at, default);

        ((OrderExample)(await Get("id", "7", null))!.Example).Items.ShouldBe(15);
        ((OrderExample)(await Get("Id", "7", Start.AddHours(5)))!.Example).ShouldBe(new(6, 10, 4, 2.5f, "Monday", float.NaN, false));
        (await Get("id", "7", Start)).ShouldBeNull();
        (await Should.ThrowAsync<InvalidRequestException>(() => Get("id", "x", null))).Message.ShouldContain("'x' is no value of key id");
        (await Should.ThrowAsync<InvalidRequestException>(() => Get("order", "7", null))).Message.ShouldContain("id is missing, add id=VALUE");
    }

    [Fact]
    public void The_fingerprint_changes_with_a_captured_constant_and_with_nothing_else()
    {
        var again = MemoryStoreExtensions.View<OrderView, OrderExample>().Fingerprint;
        OrderView.Threshold = 4;
        var changed = MemoryStoreExtensions.View<OrderView, OrderExample>().Fingerprint;
        OrderView.Threshold = 3;

        again.ShouldBe(_view.Fingerprint);
        changed.ShouldNotBe(_view.Fingerprint);
    }

    [Fact]
    public async Task A_reader_that_stops_early_or_is_cancelled_leaves_nothing_running()
    {
        var store = new RecordingStore();
        await store.Inner.CommitAsync(Enumerable.Range(0, 50_000).Select(i => new Order(i, Start.AddSeconds(i), "a", null, 2, "")).ToArray());
        await store.Inner.CommitAsync(new Customer("a", Start, 1, 1, 1));

        await foreach (var batch in _view.ReadAsync(new(store, store.Inner.CurrentSeq), Day, new(false, null, false), default))
        {
            batch.Count.ShouldBeGreaterThan(0);
            break;
        }

        store.OpenCursors.ShouldBe(0);
        using var cancelled = new CancellationTokenSource();
        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in _view.ReadAsync(new(store, store.Inner.CurrentSeq), Day, new(false, null, false), cancelled.Token))
                cancelled.Cancel();
        });
        store.OpenCursors.ShouldBe(0);
    }

    [Fact]
    public async Task What_goes_wrong_while_reading_reaches_the_reader()
    {
        var store = new RecordingStore { FailOn = "customers" };
        await store.Inner.CommitAsync(new Order(1, Start.AddHours(1), "a", "b", 1, ""));
        await store.Inner.CommitAsync(new Customer("a", Start, 1, 1, 1));

        (await Should.ThrowAsync<IOException>(async () =>
        {
            await foreach (var _ in _view.ReadAsync(new(store, store.Inner.CurrentSeq), Day, new(false, null, false), default)) { }
        })).Message.ShouldBe("disk gone");
    }
}
