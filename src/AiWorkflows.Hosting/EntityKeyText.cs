using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AiWorkflows.Hosting;

/// <summary>An entity key as somebody types it.</summary>
internal static class EntityKeyText
{
    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What somebody may mean by a key, as the log writes it: a JSON array as it is, a number, a text.</summary>
    /// <exception cref="InvalidRequestException">It begins as an array and is none.</exception>
    public static IReadOnlyList<string> Candidates(string key, string name)
    {
        if (key.StartsWith('['))
        {
            try
            {
                if (JsonNode.Parse(key) is JsonArray array)
                    return [array.ToJsonString(Compact)];
            }
            catch (JsonException)
            {
                // Said below.
            }
            throw new InvalidRequestException($"{name} {key} is no JSON array; write it as in [\"LAX\",7].");
        }
        var text = new JsonArray(JsonValue.Create(key)).ToJsonString(Compact);
        return long.TryParse(key, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? [$"[{number.ToString(CultureInfo.InvariantCulture)}]", text] : [text];
    }
}
