using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace AiWorkflows.Tests.Docs;

// The typed client of docs/online.md.
#region client
public sealed record Flight([property: JsonPropertyName("flight_id")] long FlightId);
public sealed record Delay([property: JsonPropertyName("prediction_id")] long PredictionId, int Version, double? Probability, string[] Missing);
public sealed record Answer(Delay[] Predictions, string Model, int? Version);

public sealed class DelayClient(HttpClient http)
{
    public async Task<Delay> PredictAsync(long flightId, string requestId, CancellationToken ct)
    {
        var request = new { request_id = requestId, instances = new[] { new Flight(flightId) } };
        while (true)
        {
            using var response = await http.PostAsJsonAsync("/api/models/flight-delay/predictions", request, ct);
            if (response.Headers.RetryAfter?.Delta is { } wait)     // 429 or 503: the same request again, under the same id
            {
                await Task.Delay(wait, ct);
                continue;
            }
            if (!response.IsSuccessStatusCode)
                throw new HttpRequestException($"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(ct)}", null, response.StatusCode);
            return (await response.Content.ReadFromJsonAsync<Answer>(JsonSerializerOptions.Web, ct))!.Predictions[0];
        }
    }
}
#endregion
