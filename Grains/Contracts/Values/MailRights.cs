using System.Text;

namespace MailCluster.Contracts;

/// <summary>The rights of RFC 4314 §2.1 and RFC 5257 §3.4.</summary>
[Flags]
public enum MailRights
{
    None = 0,

    /// <summary>l: the mailbox is there for LIST and SUBSCRIBE.</summary>
    Lookup = 1,

    /// <summary>r: SELECT, STATUS.</summary>
    Read = 2,

    /// <summary>s: keep \Seen.</summary>
    Seen = 4,

    /// <summary>w: flags other than \Seen and \Deleted.</summary>
    Write = 8,

    /// <summary>i: APPEND, COPY into it.</summary>
    Insert = 16,

    /// <summary>p: send mail to it.</summary>
    Post = 32,

    /// <summary>k: mailboxes below it.</summary>
    Create = 64,

    /// <summary>x: DELETE, RENAME.</summary>
    Delete = 128,

    /// <summary>t: \Deleted.</summary>
    DeleteMessages = 256,

    /// <summary>e: EXPUNGE.</summary>
    Expunge = 512,

    /// <summary>a: the list of rights itself.</summary>
    Administer = 1024,

    /// <summary>n: annotations of messages that all readers share (RFC 5257 §3.4).</summary>
    Annotate = 2048,

    All = 4095,

    /// <summary>One of these lets a user know his rights (RFC 4314 §4: MYRIGHTS), and so that the mailbox is there.</summary>
    Visible = Lookup | Read | Insert | Create | Delete | Administer,
}

/// <summary>Rights as letters, with the virtual ones of RFC 2086 (RFC 4314 §2.1.1): c is k and x, d is e and t.</summary>
public static class MailRightsText
{
    private const string Letters = "lrswipkxtean";

    /// <summary>Null: some letter is no right.</summary>
    public static MailRights? Parse(string letters)
    {
        MailRights rights = MailRights.None;
        foreach (char letter in letters)
        {
            if (letter == 'c')
                rights |= MailRights.Create | MailRights.Delete;
            else if (letter == 'd')
                rights |= MailRights.Expunge | MailRights.DeleteMessages;
            else if (Letters.IndexOf(letter) is >= 0 and int place)
                rights |= (MailRights)(1 << place);
            else
                return null;
        }
        return rights;
    }

    /// <summary>In the order of the RFC; c and d are told as soon as one of their members is there.</summary>
    public static string ToLetters(this MailRights rights)
    {
        var text = new StringBuilder(14);
        for (int place = 0; place < Letters.Length; place++)
        {
            if (((int)rights & (1 << place)) != 0)
                text.Append(Letters[place]);
        }
        if ((rights & (MailRights.Create | MailRights.Delete)) != 0)
            text.Append('c');
        if ((rights & (MailRights.Expunge | MailRights.DeleteMessages)) != 0)
            text.Append('d');
        return text.ToString();
    }

    public static bool Has(this MailRights rights, MailRights all) => (rights & all) == all;

    /// <summary>The flags that these rights let change (RFC 4314 §4).</summary>
    public static FlagMask Flags(this MailRights rights) => new(
        (rights.Has(MailRights.Seen) ? SystemFlags.Seen : 0) | (rights.Has(MailRights.DeleteMessages) ? SystemFlags.Deleted : 0)
            | (rights.Has(MailRights.Write) ? FlagMask.All.System & ~(SystemFlags.Seen | SystemFlags.Deleted) : 0),
        rights.Has(MailRights.Write));
}

/// <summary>Which flags a change may touch.</summary>
[GenerateSerializer, Immutable, Alias("FlagMask")]
public readonly record struct FlagMask([property: Id(0)] SystemFlags System, [property: Id(1)] bool Keywords)
{
    public static readonly FlagMask All = new(SystemFlags.Seen | SystemFlags.Answered | SystemFlags.Flagged | SystemFlags.Deleted | SystemFlags.Draft, true);

    public bool IsNone => System == SystemFlags.None && !Keywords;

    /// <summary>Those of some flags that may be set.</summary>
    public FlagList Of(FlagList flags) => this == All ? flags : new FlagList(flags.System & System, Keywords ? flags.Keywords : []);

    /// <summary>Whether a STORE of these flags may do anything at all (RFC 4314 §4).</summary>
    public bool Touches(StoreMode mode, FlagList flags) => mode == StoreMode.Replace ? !IsNone
        : (flags.System == SystemFlags.None && flags.Keywords.Count == 0) || (flags.System & System) != 0 || (Keywords && flags.Keywords.Count > 0);
}
