using System.Text;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Session;

/// <summary>
/// Mailbox names on the wire and paths of segments: the account's delimiter, and the prefix of its personal namespace (RFC 2342), which INBOX alone does without.
/// </summary>
public sealed class MailboxNames(char delimiter, string prefix)
{
    /// <summary>The longest segment of a new name, in octets of UTF-8.</summary>
    public const int MaxSegment = 255;

    /// <summary>The most levels of a new name: deeper trees are mistakes of scripts, and every client walks them.</summary>
    public const int MaxDepth = 64;

    private static readonly MailError NotAllowed = new(MailErrorCode.Cannot, "This name is not allowed.");

    public char Delimiter => delimiter;

    /// <summary>Empty, or a text that ends with the delimiter.</summary>
    public string Prefix => prefix;

    /// <summary>The path of a name that may exist; null where no mailbox can have it.</summary>
    public MailboxPath? Find(MailboxArgument argument)
    {
        string name = argument.Name;
        if (prefix.Length > 0 && !name.Equals("INBOX", StringComparison.OrdinalIgnoreCase))
        {
            if (!name.StartsWith(prefix, StringComparison.Ordinal) && !InboxPrefixed(name))
                return null;
            name = name[prefix.Length..];
        }
        return IsWellFormed(name) ? MailboxPath.Parse(name, delimiter) : null;
    }

    /// <summary>The path of a name that is to be created (CREATE, the target of RENAME), or why it may not be.</summary>
    public MailResult<MailboxPath> New(MailboxArgument argument)
    {
        if (argument.Form != NameForm.Regular)
            return new MailError(MailErrorCode.Cannot, "The name's encoding is not valid.");
        // A trailing delimiter only says that there will be children (RFC 9051 §6.3.4).
        string name = argument.Name;
        if (name.Length > 1 && name[^1] == delimiter)
            argument = argument with { Name = name = name[..^1] };
        foreach (char c in name)
        {
            if (c is '*' or '%' || char.IsControl(c) || c is '\u2028' or '\u2029')
                return NotAllowed;
        }
        if (Find(argument) is not { } path || path.Segments.Count > MaxDepth)
            return NotAllowed;
        foreach (string segment in path.Segments)
        {
            if (Encoding.UTF8.GetByteCount(segment) > MaxSegment)
                return new MailError(MailErrorCode.Cannot, $"A level of a name has at most {MaxSegment} octets.");
        }
        return path;
    }

    /// <summary>The name of a path, in Unicode.</summary>
    public string NameOf(MailboxPath path) => path.IsInbox ? "INBOX" : prefix + path.ToString(delimiter);

    /// <summary>The levels of <see cref="NameOf"/>, those of the prefix included.</summary>
    public MailboxPath OnWire(MailboxPath path) => prefix.Length == 0 || path.IsInbox ? path : MailboxPath.Parse(NameOf(path), delimiter);

    private bool InboxPrefixed(string name) =>
        prefix.StartsWith("INBOX", StringComparison.OrdinalIgnoreCase) && name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);

    private bool IsWellFormed(string name)
    {
        if (name.Length == 0 || name[0] == delimiter || name[^1] == delimiter || name.Contains($"{delimiter}{delimiter}", StringComparison.Ordinal))
            return false;
        for (int i = 0; i < name.Length; i++)
        {
            if (char.IsHighSurrogate(name[i]) && i + 1 < name.Length && char.IsLowSurrogate(name[i + 1]))
                i++;
            else if (char.IsSurrogate(name[i]) || name[i] == '\0')
                return false;
        }
        return true;
    }
}
