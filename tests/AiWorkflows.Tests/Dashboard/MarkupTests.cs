using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Rendering;

namespace AiWorkflows.Tests.Dashboard;

public sealed class MarkupTests
{
    [Fact]
    public void Text_in_markup_is_encoded_once_and_markup_in_markup_is_not()
    {
        var cell = Markup.Of($"<td>{"<script>alert('x')</script> & \"y\""}</td>");

        cell.ToString().ShouldBe("<td>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;</td>");
        Markup.Of($"<tr>{cell}</tr>").ToString().ShouldBe($"<tr>{cell}</tr>");
        Markup.Of($"<tr>{new[] { cell, cell }.AsEnumerable()}</tr>").ToString().ShouldBe($"<tr>{cell}{cell}</tr>");
    }

    [Fact]
    public void Numbers_in_markup_do_not_depend_on_culture()
    {
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = ",", NegativeSign = "minus" } };
            Markup.Of($"{-1234.56789} {-5L}").ToString().ShouldBe("-1234.568 -5");
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    [Theory]
    [InlineData(0.0123, "12 ms")]
    [InlineData(0.9999, "1.0 s")]
    [InlineData(6.44, "6.4 s")]
    [InlineData(59.97, "0 min 59 s")]
    [InlineData(149, "2 min 29 s")]
    [InlineData(3 * 3600 + 5 * 60, "3 h 5 min")]
    [InlineData(4 * 86400 + 2 * 3600, "4 d 2 h")]
    [InlineData(-5, "0 ms")]
    public void Durations_have_two_units_at_most(double seconds, string text) => Format.Duration(TimeSpan.FromSeconds(seconds)).ShouldBe(text);

    [Fact]
    public void A_moment_is_told_relative_to_the_clock_of_the_store()
    {
        var now = new DateTime(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);
        Components.Time(now.AddMinutes(-22), now).ToString().ShouldBe("<time datetime=\"2026-01-01T11:38:00Z\" data-aw-rel data-tip=\"2026-01-01 11:38:00 UTC\">22 min ago</time>");
        Components.Time(now.AddMinutes(57), now).ToString().ShouldContain(">in 57 min<");
    }
}
