namespace AiWorkflows.Hosting.Dashboard.Rendering;

/// <summary>Fields of forms; each has its label.</summary>
internal static class Fields
{
    public static Markup Select(string name, string label, string? any, IEnumerable<string> values, string? chosen) =>
        Select(name, label, any, values.Select(value => (value, value)), chosen);

    /// <param name="any">The choice that stands for none; null where there must be one.</param>
    public static Markup Select(string name, string label, string? any, IEnumerable<(string Value, string Text)> values, string? chosen) => Markup.Of(
        $"<div><label for=\"aw-{name}\">{label}</label><select id=\"aw-{name}\" name=\"{name}\">{(any is null ? Markup.Empty : Markup.Of($"<option value=\"\">{any}</option>"))}{values.Select(value => Markup.Of($"<option value=\"{value.Value}\"{Markup.When(value.Value == chosen, Markup.Raw(" selected"))}>{value.Text}</option>"))}</select></div>");

    public static Markup Text(string name, string label, string? value, string placeholder = "", int size = 22, bool required = false, string? id = null) => Markup.Of(
        $"<div><label for=\"aw-{id ?? name}\">{label}</label><input id=\"aw-{id ?? name}\" name=\"{name}\" size=\"{size}\" maxlength=\"300\" placeholder=\"{placeholder}\" value=\"{value}\"{Markup.When(required, Markup.Raw(" required"))}></div>");

    /// <summary>Fills what is left of the line.</summary>
    public static Markup Wide(string name, string label, string placeholder, bool required = true) => Markup.Of(
        $"<div class=\"aw-wide\"><label for=\"aw-{name}\">{label}</label><input id=\"aw-{name}\" name=\"{name}\" maxlength=\"300\" placeholder=\"{placeholder}\"{Markup.When(required, Markup.Raw(" required"))}></div>");

    public static Markup Time(string name, string label, DateTime? value) => Text(name, label, value is { } time ? Timestamps.Display(time) : "", "2001-06-01", 14);

    public static Markup Hidden(string name, string value) => Markup.Of($"<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");

    public static Markup Button(string text) => Markup.Of($"<button class=\"btn btn-primary btn-sm\" type=\"submit\">{text}</button>");

    /// <summary>A form that leads to the address of what it asks for.</summary>
    public static Markup Search(string url, params Markup[] fields) => Markup.Of($"<form class=\"aw-form\" method=\"get\" action=\"{url}\">{fields.AsEnumerable()}</form>");
}
