using MimeKit;

namespace MailCluster.Sieve.Running;

internal enum AddressPart : byte
{
    All,
    LocalPart,
    Domain,

    /// <summary>RFC 5233: before the '+'.</summary>
    User,

    /// <summary>RFC 5233: behind the '+'; an address without one has none, and matches nothing.</summary>
    Detail,
}

internal static class Addresses
{
    public static string? Part(string address, AddressPart part)
    {
        int at = address.LastIndexOf('@');
        string local = at < 0 ? address : address[..at];
        int plus = local.IndexOf('+');
        return part switch
        {
            AddressPart.All => address,
            AddressPart.LocalPart => local,
            AddressPart.Domain => at < 0 ? "" : address[(at + 1)..],
            AddressPart.User => plus < 0 ? local : local[..plus],
            _ => plus < 0 ? null : local[(plus + 1)..],
        };
    }

    /// <summary>The addresses of a field, groups opened; where it is no list of addresses, the field as it is.</summary>
    public static IReadOnlyList<string> Of(byte[] field)
    {
        if (InternetAddressList.TryParse(field, out InternetAddressList? list))
        {
            string[] found = [.. list.Mailboxes.Select(static m => m.Address)];
            if (found.Length > 0 || list.Count > 0)
                return found;
        }
        string text = System.Text.Encoding.UTF8.GetString(field).Trim();
        return text.Length == 0 ? [] : [text];
    }

    /// <summary>An address that mail can be sent to; null where it is none.</summary>
    public static string? Valid(string text) =>
        MailboxAddress.TryParse(text, out MailboxAddress? mailbox) && mailbox.Address.IndexOf('@') is > 0 and int at && at < mailbox.Address.Length - 1
            && mailbox.Address.Length <= 254 && !mailbox.Address.Any(static c => char.IsControl(c) || c is ' ' or '<' or '>') && mailbox.Route.Count == 0
            ? mailbox.Address : null;
}
