using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Session;

/// <summary>
/// Mailbox names on the wire and paths of segments: the account's delimiter, the prefix of its personal namespace (RFC 2342), which INBOX alone does without, and
/// the namespaces of mailboxes of other accounts.
/// </summary>
/// <param name="otherUsers">How the namespace of other users begins, without the delimiter; empty: there is none.</param>
/// <param name="sharedFolders">That of accounts that are nobody's own.</param>
public sealed class MailboxNames(char delimiter, string prefix, string otherUsers = "", string sharedFolders = "")
{
    private static readonly MailError NotAllowed = new(MailErrorCode.Cannot, "This name is not allowed.");

    public char Delimiter => delimiter;

    /// <summary>Empty, or a text that ends with the delimiter.</summary>
    public string Prefix => prefix;

    /// <summary>The prefix of other users' mailboxes, which a user's name follows; empty: there is none.</summary>
    public string OtherUsers { get; } = otherUsers.Length > 0 ? otherUsers + delimiter : "";

    /// <summary>The prefix of shared mailboxes, which the name of an account that is nobody's own follows; empty: there is none.</summary>
    public string SharedFolders { get; } = sharedFolders.Length > 0 ? sharedFolders + delimiter : "";

    /// <summary>Whether the namespace is there that another account's mailboxes are in.</summary>
    public bool Shows(bool store) => OtherUsers.Length > 0 || (store && SharedFolders.Length > 0);

    /// <summary>Whether a name is one of another account's mailbox, or of the levels above them.</summary>
    public bool IsOther(string name) => IsBelow(name, OtherUsers) || IsBelow(name, SharedFolders);

    /// <summary>The account's name and the path there of a name in the namespaces of others; null where no mailbox can have it.</summary>
    public (string User, MailboxPath Path)? FindOther(MailboxArgument argument)
    {
        string name = argument.Name;
        string start = name.StartsWith(OtherUsers, StringComparison.Ordinal) && OtherUsers.Length > 0 ? OtherUsers : SharedFolders;
        if (!IsOther(name) || name.Length <= start.Length)
            return null;
        int end = name.IndexOf(delimiter, start.Length);
        if (end < 0 || !IsWellFormed(name[(end + 1)..]))
            return null;
        return (Decoded(name[start.Length..end]), MailboxPath.Parse(name[(end + 1)..], delimiter));
    }

    /// <summary>The levels of a name in the namespaces of others, or of one above such names; null for any other name.</summary>
    public MailboxPath? OtherOnWire(MailboxArgument argument) =>
        IsOther(argument.Name) && Trimmed(argument.Name) is var name && IsWellFormed(name) ? MailboxPath.Parse(name, delimiter) : null;

    /// <summary>The levels of the name of a mailbox of another account.</summary>
    public MailboxPath OnWire(SharedMailbox mailbox) => MailboxPath.Parse(NameOf(mailbox.User, mailbox.Store, mailbox.Info.Path), delimiter);

    /// <summary>As <see cref="FindOther"/> for a name that is to be created.</summary>
    public MailResult<(string User, MailboxPath Path)> NewOther(MailboxArgument argument)
    {
        if (FindOther(argument with { Name = Trimmed(argument.Name) }) is not { } found)
            return NotAllowed;
        MailResult<MailboxPath> path = Checked(argument, found.Path);
        return path.Error is { } error ? error : found;
    }

    /// <summary>The name of a mailbox of another account.</summary>
    public string NameOf(string user, bool store, MailboxPath path) =>
        (store && SharedFolders.Length > 0 ? SharedFolders : OtherUsers) + Encoded(user) + delimiter + path.ToString(delimiter);

    // An address holds dots: where they are delimiters they are written '^'. What is rare in addresses is escaped by a backslash, which none has.
    private string Encoded(string user) =>
        delimiter == '.' ? user.Replace("^", @"\5e", StringComparison.Ordinal).Replace('.', '^') : user.Replace("/", @"\2f", StringComparison.Ordinal);

    private string Decoded(string user) =>
        delimiter == '.' ? user.Replace('^', '.').Replace(@"\5e", "^", StringComparison.Ordinal) : user.Replace(@"\2f", "/", StringComparison.Ordinal);

    private bool IsBelow(string name, string start) =>
        start.Length > 0 && (name.StartsWith(start, StringComparison.Ordinal) || name.AsSpan().Equals(start.AsSpan(0, start.Length - 1), StringComparison.Ordinal));

    /// <summary>The path of a name that may exist; null where no mailbox can have it.</summary>
    public MailboxPath? Find(MailboxArgument argument)
    {
        string name = argument.Name;
        if (IsOther(name))
            return null;
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
        argument = argument with { Name = Trimmed(argument.Name) };
        return Find(argument) is { } path ? Checked(argument, path) : NotAllowed;
    }

    /// <summary>A trailing delimiter only says that there will be children (RFC 9051 §6.3.4).</summary>
    private string Trimmed(string name) => name.Length > 1 && name[^1] == delimiter ? name[..^1] : name;

    private static MailResult<MailboxPath> Checked(MailboxArgument argument, MailboxPath path)
    {
        if (argument.Form != NameForm.Regular)
            return new MailError(MailErrorCode.Cannot, "The name's encoding is not valid.");
        return path.WhyNotNew() is { } why ? why : path;
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
