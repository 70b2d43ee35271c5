using System.Text.Json;
using System.Text.Json.Serialization;

namespace MailCluster.Storage.Directories;

/// <summary>What the log-ins of a tenant's accounts have to keep to, beyond what holds for everybody.</summary>
public sealed record LoginPolicy
{
    public static readonly LoginPolicy Default = new();

    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    /// <summary>SASL mechanisms in capitals, "-PLUS" left out; a protocol's own LOGIN, USER or PASS count as PLAIN. Null: all but EXTERNAL, which has to be named.</summary>
    public IReadOnlyList<string>? Mechanisms { get; init; }

    /// <summary>imap, pop3, sieve, smtp…; null: all.</summary>
    public IReadOnlyList<string>? Protocols { get; init; }

    /// <summary>Only under TLS, also from loopback and where an option of the node allows it without.</summary>
    public bool Tls { get; init; }

    /// <summary>Only application passwords, tokens and certificates: the account's own password does not open mail.</summary>
    public bool AppPasswordsOnly { get; init; }

    /// <summary>New passwords are kept as SCRAM-SHA-1 verifiers as well, for clients that know no better.</summary>
    public bool ScramSha1 { get; init; }

    /// <summary>A document as the column has it; null is <see cref="Default"/>.</summary>
    public static LoginPolicy Parse(string? json) => json is null ? Default : JsonSerializer.Deserialize<LoginPolicy>(json, _json) ?? Default;

    public string ToJson() => JsonSerializer.Serialize(this, _json);

    /// <summary>Why a log-in that is right is refused, in a sentence; null where it may pass.</summary>
    public string? Refuse(string protocol, string mechanism, bool secure)
    {
        string plain = mechanism.EndsWith("-PLUS", StringComparison.Ordinal) ? mechanism[..^5] : mechanism is "LOGIN" or "USER" or "PASS" ? "PLAIN" : mechanism;
        if (Mechanisms is null ? plain == "EXTERNAL" : !Mechanisms.Contains(plain))
            return "This way to log in is not allowed here.";
        if (Protocols is { } protocols && !protocols.Contains(protocol))
            return "This protocol is not allowed here.";
        return Tls && !secure ? "Log in under TLS." : null;
    }
}
