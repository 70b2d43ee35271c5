using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Search;

namespace MailCluster.Imap.Session;

/// <summary>Who is logged in, and what ENABLE and the like have switched on until the end of the session.</summary>
public sealed class ImapUser(LiveSession live, MailClusterClient cluster, Actor actor)
{
    public AccountSettings Settings => live.Settings;

    /// <summary>The account's owner; made when it is asked for, which costs a fifteenth of a log-in and many sessions never do.</summary>
    public IAccountGrain Account => field ??= cluster.Account(live.Account);

    /// <summary>Who changes are done by, for the log.</summary>
    public Actor Actor => actor;

    public MailboxNames Names { get; } = new(
        live.Settings.Delimiter, live.Settings.Prefix,
        live.Settings.OthersNamespace, live.Settings.SharedNamespace);

    /// <summary>Accounts of the tenant that names were of so far; not those of others, with which it may share no longer.</summary>
    public Dictionary<string, AccountId> Neighbours { get; } = new(StringComparer.Ordinal);

    /// <summary>ENABLE IMAP4rev2 was given (RFC 9051 appendix A): UTF-8 names, ESEARCH, no \Recent.</summary>
    public bool Rev2 { get; set; }

    /// <summary>FETCH responses carry MODSEQ (RFC 7162 §3.1).</summary>
    public bool CondStore { get; set; }

    /// <summary>VANISHED instead of EXPUNGE (RFC 7162 §3.2).</summary>
    public bool QResync { get; set; }

    /// <summary>ENABLE UIDONLY was given (RFC 9586): no message numbers, in either direction.</summary>
    public bool UidOnly { get; set; }

    /// <summary>ENABLE UTF8=ACCEPT was given (RFC 9755): names and strings are UTF-8, as they are in rev2.</summary>
    public bool Utf8 { get; set; }

    /// <summary>What SEARCH, SORT and THREAD compare with (RFC 5255 §4).</summary>
    public Comparator Comparator { get; set; } = Comparator.Default;

    public MailboxKey KeyOf(MailboxId mailbox) => new(Settings.Account, mailbox);

    /// <summary>The account that a mailbox must be asked for as; null where the mailbox is the user's own.</summary>
    public AccountId? ViewerOf(AccountId account) => account == Settings.Account ? null : Settings.Account;
}
