using System.Text.Json;
using System.Text.Json.Serialization;

namespace MailCluster.Storage.Directories;

/// <summary>The LDAP server that checks the passwords of a tenant's accounts. The accounts themselves, and their mail, are in the directory here as any others.</summary>
/// <param name="Url">ldaps://host[:636] or ldap://host[:389].</param>
public sealed record LdapServer(string Url)
{
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    /// <summary>TLS is started on an ldap:// connection (RFC 4511 §4.14) before anything else is said.</summary>
    public bool StartTls { get; init; }

    /// <summary>PEM file on the silos with the authorities of the server's certificate; null: the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>The DN of a user, with {user}, {local} and {domain} for the address and its parts: uid={local},ou=people,dc=acme. Null: it is searched for.</summary>
    public string? UserDn { get; init; }

    /// <summary>Where to search, with all that is below.</summary>
    public string? Base { get; init; }

    /// <summary>The attribute that has the user's address; null: mail.</summary>
    public string? Attribute { get; init; }

    /// <summary>Who searches and compares; null: nobody in particular (anonymous).</summary>
    public string? BindDn { get; init; }

    /// <summary>Never logged.</summary>
    public string? BindPassword { get; init; }

    /// <summary>The password is compared with this attribute, for servers that let nobody bind; null: the user binds.</summary>
    public string? Compare { get; init; }

    public static LdapServer? Parse(string? json) => json is null ? null : JsonSerializer.Deserialize<LdapServer>(json, _json);

    public string ToJson() => JsonSerializer.Serialize(this, _json);

    /// <summary>Why it can't be used, in a sentence; null where it can.</summary>
    public string? Unusable()
    {
        if (!Uri.TryCreate(Url, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("ldap" or "ldaps") || uri.Host.Length == 0)
            return $"'{Url}' is no URL such as ldaps://host.";
        if (uri.Scheme == "ldap" && !StartTls && !uri.IsLoopback)
            return "Passwords would travel in clear: use ldaps:// or StartTLS.";
        return UserDn is null && Base is null ? "Say where a user's entry is: its DN, or a base to search below." : null;
    }

    /// <summary>Without the password.</summary>
    public override string ToString() => Url;
}
