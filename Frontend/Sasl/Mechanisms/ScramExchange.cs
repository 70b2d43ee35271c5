using System.Security.Cryptography;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Sasl;

/// <summary>
/// SCRAM-SHA-256, SCRAM-SHA-1 and their -PLUS forms (RFC 5802, RFC 7677), with tls-server-end-point (RFC 5929). Knows no password and no verifier: salt and decision are the
/// cluster's, so that any front end can run it; a user who does not exist gets a salt and fails at the end as one with a wrong password.
/// </summary>
internal sealed class ScramExchange(SaslServer server, SaslConnection connection, string mechanism) : SaslExchange(mechanism)
{
    private const int NonceSize = 18;

    private const string EndPoint = "tls-server-end-point";

    private static readonly SaslFailure _notBound = new(new MailError(MailErrorCode.AuthenticationFailed, "The channel binding is not this connection's."));

    private readonly bool _plus = mechanism.EndsWith("-PLUS", StringComparison.Ordinal);
    private readonly ScramHash _hash = mechanism.StartsWith("SCRAM-SHA-1", StringComparison.Ordinal) && !mechanism.StartsWith("SCRAM-SHA-256", StringComparison.Ordinal) ? ScramHash.Sha1 : ScramHash.Sha256;
    private ScramFirst? _first;
    private string _nonce = "";
    private string _serverFirst = "";
    private LoginOutcome? _outcome;
    private bool _asked;

    private protected override async ValueTask<SaslStep> StepAsync(byte[]? response, CancellationToken cancellationToken)
    {
        if (_outcome is { } outcome)
            return response is null or { Length: 0 } ? HandOut(outcome) : Malformed("Nothing was to be answered");
        if (response is null && !_asked)
        {
            _asked = true;
            return SaslChallenge.Empty;
        }
        _asked = true;
        return _first is null ? await BeginAsync(response, cancellationToken).ConfigureAwait(false) : await EndAsync(_first, response, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<SaslStep> BeginAsync(byte[]? response, CancellationToken cancellationToken)
    {
        if (ScramFirst.Parse(response) is not { } first)
            return Malformed("The response is not one of SCRAM");
        // Who has channel binding and does not see that it is offered was lied to by somebody in between (RFC 5802 §6).
        if (_plus != (first.Flag == BindingFlag.Used) || (first.Flag == BindingFlag.NotOffered && connection.ServerEndPoint is not null))
            return _notBound;
        if (first.Flag == BindingFlag.Used && first.Binding != EndPoint)
            return new SaslFailure(new MailError(MailErrorCode.Cannot, $"The only channel binding here is {EndPoint}."));
        MailResult<ScramParameters> parameters = await server.Cluster.BeginScramAsync(new LoginCredentials(first.User, first.Authorize), _hash, cancellationToken).ConfigureAwait(false);
        if (parameters.Error is { } away)
            return new SaslFailure(away);
        _first = first;
        _nonce = first.Nonce + Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceSize));
        _serverFirst = $"r={_nonce},s={Convert.ToBase64String(parameters.Value!.Salt)},i={parameters.Value.Iterations}";
        return new SaslChallenge(Encoding.UTF8.GetBytes(_serverFirst));
    }

    private async ValueTask<SaslStep> EndAsync(ScramFirst first, byte[]? response, CancellationToken cancellationToken)
    {
        if (ScramFinal.Parse(response) is not { } last || last.Nonce != _nonce)
            return Malformed("The response is not one of SCRAM");
        byte[] binding = [.. Encoding.UTF8.GetBytes(first.Gs2Header), .. first.Flag == BindingFlag.Used ? connection.ServerEndPoint.GetValueOrDefault().Span : []];
        if (!last.Binding.AsSpan().SequenceEqual(binding))
            return _notBound;
        byte[] signed = Encoding.UTF8.GetBytes($"{first.Bare},{_serverFirst},{last.WithoutProof}");
        var credentials = new LoginCredentials(first.User, first.Authorize) { Scram = new ScramProof(_hash, signed, last.Proof) };
        MailResult<LoginOutcome> result = await server.LoginAsync(Mechanism, credentials, connection, cancellationToken).ConfigureAwait(false);
        if (result.Error is { } error)
            return new SaslFailure(error);
        _outcome = result.Value!;
        Keep(_outcome.Session);
        return new SaslChallenge(Encoding.UTF8.GetBytes("v=" + Convert.ToBase64String(_outcome.ServerSignature ?? [])));
    }
}
