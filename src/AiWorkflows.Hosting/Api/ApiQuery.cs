using AiWorkflows.Hosting.Cli;
using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting.Api;

/// <summary>Reads the query of an address: unknown and repeated parameters are mistakes, and a mistake names its parameter.</summary>
internal sealed class ApiQuery
{
    private static readonly DateTime Earliest = new(1900, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly DateTime Latest = new(9000, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly IQueryCollection _query;

    /// <exception cref="ApiException">The query has a parameter that is not <paramref name="known"/>.</exception>
    public ApiQuery(HttpRequest http, params string[] known)
    {
        _query = http.Query;
        foreach (var name in _query.Keys)
            if (!known.Contains(name))
                throw ApiException.UnknownField("parameter", name, known, ApiException.Shorten(name));
    }

    /// <summary>The parameter, or null where it is missing or empty.</summary>
    public string? Text(string name) => _query[name] switch
    {
        { Count: > 1 } => throw ApiException.BadRequest($"Parameter {name} is given more than once.", name),
        [{ Length: > 0 } text] => text,
        _ => null,
    };

    /// <summary>All values of a parameter that may be repeated.</summary>
    public IReadOnlyList<string> All(string name) => [.. _query[name].Where(v => !string.IsNullOrEmpty(v)).Select(v => v!)];

    public long? Number(string name, long from, long to) => Text(name) is not { } text ? null
        : long.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var value) && value >= from && value <= to ? value
        : throw ApiException.BadRequest($"{name} is '{ApiException.Shorten(text)}'; give a whole number from {from} to {to}.", name);

    public string? OneOf(string name, IReadOnlyCollection<string> known) =>
        Text(name) is not { } text || known.Contains(text) ? Text(name) : throw ApiException.UnknownField(name, text, known, name);

    public DateTime? Time(string name)
    {
        if (Text(name) is not { } text)
            return null;
        try
        {
            var time = UtcTime.Parse(ApiException.Shorten(text), name);
            return time >= Earliest && time <= Latest ? time : throw ApiException.BadRequest($"{name} {ApiException.Shorten(text)} is out of range.", name);
        }
        catch (InvalidRequestException e)
        {
            throw ApiException.BadRequest(e.Message, name, e);
        }
    }
}
