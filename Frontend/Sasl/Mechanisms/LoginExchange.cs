using MailCluster.Cluster;

namespace MailCluster.Sasl;

/// <summary>LOGIN, which no RFC describes and old clients use: asks for the name, then for the password. An initial response is the name.</summary>
internal sealed class LoginExchange(SaslServer server, SaslConnection connection) : SaslExchange("LOGIN")
{
    private static readonly SaslChallenge UserName = new("Username:"u8.ToArray());

    private static readonly SaslChallenge Password = new("Password:"u8.ToArray());

    private bool _asked;
    private string? _user;

    private protected override ValueTask<SaslStep> StepAsync(byte[]? response, CancellationToken cancellationToken)
    {
        if (response is null)
        {
            if (_asked)
                return new(Malformed("A response is missing"));
            _asked = true;
            return new(UserName);
        }
        _asked = true;
        string text = SaslText.Of(response);
        if (_user is { } user)
            return server.CheckAsync(Mechanism, new LoginCredentials(user) { Password = text }, connection, cancellationToken);
        _user = text;
        return new(Password);
    }
}
