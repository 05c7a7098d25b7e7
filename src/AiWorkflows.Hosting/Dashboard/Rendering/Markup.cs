using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace AiWorkflows.Hosting.Dashboard.Rendering;

/// <summary>
/// A piece of HTML. Text becomes HTML only through <see cref="Of"/>, which encodes every value of type string and takes every
/// <see cref="Markup"/> as it is; so forgetting to encode is not possible, and encoding twice is not either.
/// </summary>
internal readonly struct Markup
{
    private readonly string? _html;

    private Markup(string html) => _html = html;

    public static Markup Empty => default;

    public bool IsEmpty => string.IsNullOrEmpty(_html);

    /// <summary>Builds HTML from an interpolated string: its literal parts are markup, its values are text.</summary>
    public static Markup Of(MarkupHandler html) => new(html.ToString());

    /// <summary>Plain text, encoded.</summary>
    public static Markup Text(string? text) => new(WebUtility.HtmlEncode(text) ?? "");

    /// <summary>Markup that was built piece by piece; the caller vouches for its encoding.</summary>
    public static Markup Raw(string html) => new(html);

    public static Markup Concat(IEnumerable<Markup> parts) => new(string.Concat(parts.Select(part => part._html)));

    public static Markup Join(string separator, IEnumerable<Markup> parts) =>
        new(string.Join(WebUtility.HtmlEncode(separator), parts.Where(part => !part.IsEmpty).Select(part => part._html)));

    public static Markup operator +(Markup left, Markup right) => new(left._html + right._html);

    public static Markup When(bool condition, Markup markup) => condition ? markup : Empty;

    public override string ToString() => _html ?? "";
}

/// <summary>Encodes the values of an interpolated string. Types that are not listed do not compile: their text would depend on culture.</summary>
[InterpolatedStringHandler]
internal readonly ref struct MarkupHandler(int literalLength, int formattedCount)
{
    private readonly StringBuilder _html = new(literalLength + formattedCount * 16);

    public void AppendLiteral(string markup) => _html.Append(markup);

    public void AppendFormatted(Markup markup) => _html.Append(markup.ToString());

    public void AppendFormatted(string? text) => _html.Append(WebUtility.HtmlEncode(text));

    public void AppendFormatted(long number) => _html.Append(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>A coordinate: at most three digits, never an exponent.</summary>
    public void AppendFormatted(double number) => _html.Append(Math.Round(number, 3).ToString("0.###", CultureInfo.InvariantCulture));

    public void AppendFormatted(IEnumerable<Markup> parts)
    {
        foreach (var part in parts)
            _html.Append(part.ToString());
    }

    public override string ToString() => _html.ToString();
}
