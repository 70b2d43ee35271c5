using System.Globalization;

namespace MailCluster.Storage.Directories;

/// <summary>
/// An address in the form in which the directory keeps and finds it: lower case, the domain in ASCII (RFC 5890 A-labels). The local part is
/// lower-cased as well (RFC 5321 §2.4 leaves that to the owner of the domain): nobody has a neighbour who differs only in case.
/// </summary>
public readonly record struct MailAddress(string LocalPart, string Domain)
{
    /// <summary>Octets of an address that a path may carry (RFC 5321 §4.5.3.1.3).</summary>
    public const int MaxLength = 254;

    private static readonly IdnMapping Idn = new() { AllowUnassigned = true };

    /// <summary>Null for what is no local-part@domain; comments, quotes and routes are not understood.</summary>
    public static MailAddress? Parse(string text)
    {
        var at = text.LastIndexOf('@');
        if (at < 1 || text.Length > MaxLength || ParseDomain(text[(at + 1)..]) is not { } domain)
            return null;
        var local = text[..at].ToLowerInvariant();
        foreach (var c in local)
        {
            if (c is <= ' ' or '@' or '<' or '>' or '"' or '\\' or '\x7f' or (>= '\x80' and <= '\x9f'))
                return null;
        }
        return new MailAddress(local, domain);
    }

    /// <summary>A domain in lower case and ASCII; null for what is none.</summary>
    public static string? ParseDomain(string text)
    {
        try
        {
            var domain = Idn.GetAscii(text).ToLowerInvariant();
            foreach (var c in domain)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))
                    return null;
            }
            return domain;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The address without what follows the first '+' of the local part, and that; null when there is no such detail (RFC 5233 §4).</summary>
    public (MailAddress Address, string Detail)? WithoutDetail()
    {
        var plus = LocalPart.IndexOf('+');
        return plus > 0 ? (this with { LocalPart = LocalPart[..plus] }, LocalPart[(plus + 1)..]) : null;
    }

    public override string ToString() => $"{LocalPart}@{Domain}";
}
