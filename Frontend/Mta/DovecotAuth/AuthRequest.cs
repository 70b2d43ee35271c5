using System.Net;
using System.Text;
using MailCluster.Sasl;

namespace MailCluster.Mta.DovecotAuth;

/// <summary>The parameters of an AUTH request: name=value, or a name alone.</summary>
internal readonly struct AuthRequest
{
    private readonly string _service;
    private readonly string _address;
    private readonly bool _secured;

    public AuthRequest(ReadOnlySpan<string> parameters)
    {
        (_service, _address) = ("smtp", "");
        for (int i = 0; i < parameters.Length; i++)
        {
            int equals = parameters[i].IndexOf('=');
            string name = equals < 0 ? parameters[i] : parameters[i][..equals], value = equals < 0 ? "" : parameters[i][(equals + 1)..];
            switch (name)
            {
                case "service" when value.Length is > 0 and <= 32 && value.All(char.IsAsciiLetterOrDigit):
                    _service = value.ToLowerInvariant();
                    break;
                case "rip":
                    _address = IPAddress.TryParse(value, out IPAddress? address) ? address.ToString() : "";
                    break;
                case "secured":
                    _secured = true;
                    break;
                case "resp":
                    // The rest of the line, by the protocol: base64 has no tab, so that it is this field.
                    Response = value;
                    break;
            }
        }
    }

    /// <summary>The initial response in base64; null for none.</summary>
    public string? Response { get; }

    /// <summary>The mail server's client, as far as it is told.</summary>
    public SaslConnection Client(string sessionId) => new(_service, sessionId, _address)
    {
        // Whether a password may come in clear is the mail server's to decide (smtpd_tls_auth_only): it has it already.
        MayLogIn = true,
        Secure = _secured,
        Tls = _secured ? "unknown@mta" : "none",
        OpensSession = false,
    };

    /// <summary>Values of answers: NUL, tab, line ends and the escape character are written as two (Dovecot's str_tabescape).</summary>
    public static string Escape(string value)
    {
        var text = new StringBuilder(value.Length);
        foreach (char c in value)
        {
            _ = c switch
            {
                '\0' => text.Append("\u00010"),
                '\u0001' => text.Append("\u00011"),
                '\t' => text.Append("\u0001t"),
                '\n' => text.Append("\u0001n"),
                '\r' => text.Append("\u0001r"),
                _ => text.Append(c),
            };
        }
        return text.ToString();
    }
}
