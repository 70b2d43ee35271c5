using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Sasl;

/// <summary>
/// One run of a SASL mechanism (RFC 4422 §3), the server's side: responses in, steps out, knowing no protocol around it. For one caller at a time.
/// A door sends challenges and gives back what the client answers until there is a <see cref="SaslSuccess"/> or <see cref="SaslFailure"/>; cancelling ("*")
/// and broken base64 (<see cref="SaslText.TryDecode"/>) are the door's to answer: it just drops the exchange. It disposes of the exchange in every case: a log-in whose last
/// challenge was never answered is ended there.
/// </summary>
public abstract class SaslExchange(string mechanism) : IAsyncDisposable
{
    /// <summary>Octets of one response. 48 KB: the largest that fit a command line of 64 KB in base64; tokens may be long.</summary>
    public const int MaxResponse = 48 * 1024;

    private bool _over;
    private LiveSession? _kept;

    /// <summary>In capitals.</summary>
    public string Mechanism { get; } = mechanism;

    /// <summary>Takes the client's response; the first time its initial response, null where it sent none. Never throws for what a client sends.</summary>
    public async ValueTask<SaslStep> NextAsync(byte[]? response, CancellationToken cancellationToken)
    {
        if (_over)
            return Malformed("The exchange is over");
        SaslStep step = response is { Length: > MaxResponse } ? Malformed("The response is too long") : await StepAsync(response, cancellationToken).ConfigureAwait(false);
        _over = step is not SaslChallenge;
        return step;
    }

    private protected abstract ValueTask<SaslStep> StepAsync(byte[]? response, CancellationToken cancellationToken);

    /// <summary>A session that is open though the client has not heard of its success yet.</summary>
    private protected void Keep(LiveSession? session) => _kept = session;

    private protected SaslSuccess HandOut(LoginOutcome outcome)
    {
        _kept = null;
        return new SaslSuccess(outcome.Session, outcome.Settings);
    }

    private protected static SaslFailure Malformed(string text) => new(new MailError(MailErrorCode.Cannot, text), SaslFailureKind.Malformed);

    public ValueTask DisposeAsync()
    {
        _over = true;
        return Interlocked.Exchange(ref _kept, null)?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
