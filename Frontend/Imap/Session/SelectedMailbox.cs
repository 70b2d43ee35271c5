using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Session;

/// <summary>The mailbox that a session has selected. Holds its id, not its name: a mailbox that is renamed stays selected.</summary>
public sealed class SelectedMailbox : IDisposable
{
    /// <param name="name">As on the wire, in Unicode.</param>
    public SelectedMailbox(OpenMailbox open, MailboxSelected told, bool readOnly, string name)
    {
        Name = name;
        Open = open;
        Told = told;
        ReadOnly = readOnly;
        AnnotationsSince = told.Status.HighestModSeq;
        ToldRights = told.Rights;
        uint next = told.Status.UidNext;
        Recent = told.RecentFrom < next && told.RecentFrom > 0 ? UidSet.FromRanges([new UidRange(told.RecentFrom, next - 1)]) : UidSet.Empty;
        Keywords = new HashSet<string>(told.Keywords, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>This process's copy of it.</summary>
    public OpenMailbox Open { get; }

    public MailboxKey Key => Open.Key;

    /// <summary>The name it was selected by.</summary>
    public string Name { get; }

    /// <summary>The counters that SELECT answered with.</summary>
    public MailboxSelected Told { get; }

    public uint UidValidity => Told.Status.UidValidity;

    /// <summary>EXAMINE.</summary>
    public bool ReadOnly { get; }

    /// <summary>What the user may do here, as far as it is known in this process.</summary>
    public MailRights Rights => Open.Rights ?? Told.Rights;

    /// <summary>The rights that FLAGS and PERMANENTFLAGS were told by.</summary>
    public MailRights ToldRights { get; set; }

    /// <summary>What the client was told; null until the first command that needs rows, because SELECT is answered from counters.</summary>
    public MailboxView? View { get; set; }

    /// <summary>The view of a command whose row says that it is synchronised first.</summary>
    public MailboxView Messages => View ?? throw new InvalidOperationException("The command's row must say that it syncs first.");

    /// <summary>What CLOSE has removed without a word.</summary>
    public ExpungeResult? Closed { get; set; }

    /// <summary>How many messages the client was told.</summary>
    public long Count => View?.Messages.Count ?? Told.Status.Messages;

    /// <summary>The result that SEARCH saved: '$' (RFC 9051 §6.4.4.1). Expunged messages may stay in it.</summary>
    public UidSet Saved { get; set; } = UidSet.Empty;

    /// <summary>Searches whose results are followed.</summary>
    internal SearchContexts Contexts { get; } = new();

    /// <summary>UIDs that are \Recent in this session (RFC 3501 §2.3.2).</summary>
    public UidSet Recent { get; set; }

    /// <summary>ANNOTATE was given: which annotations others change is told (RFC 5257 §4.2).</summary>
    public bool TellsAnnotations { get; init; }

    /// <summary>Changed messages of whose annotations nobody has looked yet which those are that changed, after <see cref="AnnotationsSince"/>.</summary>
    public UidSet AnnotationsDue { get; set; } = UidSet.Empty;

    /// <summary>The version up to which changes of annotations were looked for, where they are.</summary>
    public long AnnotationsSince { get; set; }

    /// <summary>UIDs that this session's own command has just added, of which NOTIFY fetches nothing (RFC 5465 §5.2).</summary>
    public UidSet OwnAdded { get; set; } = UidSet.Empty;

    /// <summary>The keywords that FLAGS named.</summary>
    public HashSet<string> Keywords { get; }

    /// <summary>The table that <see cref="Keywords"/> was last compared with.</summary>
    public KeywordTable? KeywordsOf { get; set; }

    /// <summary>The messages that a set names.</summary>
    /// <exception cref="ImapSyntaxException">A message number above the last.</exception>
    public UidSet Resolve(SequenceSet set, bool uid) => Messages.Resolve(set, uid, Saved);

    /// <summary>How many messages of the view are \Recent. Without rows, as many as have UIDs that are: nothing of what is new was expunged yet, as a rule.</summary>
    public long RecentCount => View is { } view ? view.Messages.Messages(Recent).LongCount() : Math.Min(Told.Status.Messages, Recent.Cardinality);

    public void Dispose() => Open.Dispose();
}
