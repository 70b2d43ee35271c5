using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using MailCluster.Contracts;

namespace MailCluster.Sasl;

/// <summary>Asks an issuer about a token (RFC 7662). A flood of tokens waits here, not at the issuer.</summary>
internal sealed class Introspection(HttpClient http)
{
    /// <summary>Questions under way at a time.</summary>
    private readonly SemaphoreSlim _places = new(32);

    public async ValueTask<VerifiedToken> AskAsync(string token, TokenIssuer issuer, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, issuer.Introspection)
        {
            Content = new FormUrlEncodedContent([new("token", token), new("token_type_hint", "access_token")]),
        };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (issuer.ClientId is { } client)
        {
            // RFC 6749 §2.3.1: both are form-encoded first.
            string credentials = $"{Uri.EscapeDataString(client)}:{Uri.EscapeDataString(issuer.ClientSecret ?? "")}";
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
        }
        try
        {
            await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                using HttpResponseMessage response = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
                if (!response.IsSuccessStatusCode)
                    return new VerifiedToken(null, "invalid_token", $"introspection: status {(int)response.StatusCode}", Away: true);
                using JsonDocument document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
                return Judge(document.RootElement, issuer);
            }
            finally
            {
                _places.Release();
            }
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or InvalidOperationException or OperationCanceledException)
        {
            return new VerifiedToken(null, "invalid_token", $"introspection: {e.GetType().Name}", Away: true);
        }
    }

    private static VerifiedToken Judge(JsonElement answer, TokenIssuer issuer)
    {
        if (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty("active", out JsonElement active) || active.ValueKind != JsonValueKind.True)
            return new VerifiedToken(null, "invalid_token", "token: not active");
        // What it says of issuer, time and audience must fit; the audience may not be left out.
        if (Texts(answer, "iss") is { Count: > 0 } iss && !iss.Contains(issuer.Issuer))
            return new VerifiedToken(null, "invalid_token", "token: another issuer");
        if (answer.TryGetProperty("exp", out JsonElement exp) && exp.TryGetInt64(out long until) && DateTimeOffset.UtcNow.ToUnixTimeSeconds() > until + issuer.SkewSeconds)
            return new VerifiedToken(null, "invalid_token", "token: expired");
        if (!Texts(answer, "aud").Contains(issuer.Audience))
            return new VerifiedToken(null, "invalid_token", "token: another audience");
        return TokenVerifier.Judge(Texts(answer, issuer.UserClaim).FirstOrDefault(), Texts(answer, "scope").SelectMany(static s => s.Split(' ')), issuer);
    }

    private static IReadOnlyList<string> Texts(JsonElement answer, string name) => answer.TryGetProperty(name, out JsonElement value)
        ? value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array => [.. value.EnumerateArray().Where(static v => v.ValueKind == JsonValueKind.String).Select(static v => v.GetString()!)],
            _ => [],
        }
        : [];
}
