using System.Diagnostics.CodeAnalysis;

namespace MailCluster.Contracts;

/// <summary>
/// The versions that mailbox owners of this very process have published: doors in the same process read them without a call,
/// and share their memory. One object a process; safe for use by many threads.
/// </summary>
public interface ILocalMailboxes
{
    /// <summary>False while this process can't be sure that it is still a member of the cluster: nothing may be answered from its memory then.</summary>
    bool MayRead { get; }

    /// <summary>
    /// The newest version of a mailbox: everything that was committed before this call began is in it.
    /// False when that can't be promised here: the owner lives elsewhere, has no version in memory, or this process may not answer from memory now.
    /// </summary>
    bool TryGet(MailboxKey mailbox, [MaybeNullWhen(false)] out MailboxSnapshot snapshot);

    /// <summary>
    /// The mailbox of a name with its newest version, as <see cref="TryGet"/>: it had this name after this call began, and has it until a RENAME or DELETE that is
    /// under way is answered. False when that can't be promised here; then the rows tell.
    /// </summary>
    bool TryFind(AccountId account, MailboxPath path, out MailboxKey mailbox, [MaybeNullWhen(false)] out MailboxSnapshot snapshot);

    /// <summary>Whether an owner in this process says that it has the mailbox: mostly so, no promise.</summary>
    bool MayOwn(MailboxKey mailbox);

    /// <summary>The owner of a mailbox where it is in this process, and has lent itself; null otherwise. It may have lost its claim: its commits then tell.</summary>
    ILocalOwner? OwnerOf(MailboxKey mailbox);

    /// <summary>What is published, in no order, also while this process may not answer from it; may be walked through while it changes.</summary>
    IEnumerable<KeyValuePair<MailboxKey, MailboxSnapshot>> All { get; }

    /// <summary>For the owner: makes a version readable, before any OK for it is given. A version older than the published one is passed over.</summary>
    void Publish(MailboxKey mailbox, MailboxSnapshot snapshot);

    /// <summary>For the owner of <paramref name="epoch"/>: says what the mailbox is called, until <see cref="Unname"/> or <see cref="Withdraw"/>.</summary>
    void Name(MailboxKey mailbox, long epoch, MailboxPath path);

    /// <summary>For the owner: the mailbox's name may change from now on.</summary>
    void Unname(MailboxKey mailbox);

    /// <summary>For the owner of <paramref name="epoch"/>: doors of this process may make changes by it, until <see cref="Withdraw"/>.</summary>
    void Lend(MailboxKey mailbox, long epoch, ILocalOwner owner);

    /// <summary>For the owner of <paramref name="epoch"/>: it no longer answers (unloaded, claim lost, ended). A later owner's version stays.</summary>
    void Withdraw(MailboxKey mailbox, long epoch);

    /// <summary>For the owner: tells the doors of this process that the mailbox went away.</summary>
    void End(MailboxKey mailbox, MailboxEnd reason);

    /// <summary>Raised after <see cref="Publish"/> on the owner's thread: handlers only take note.</summary>
    event Action<MailboxKey, MailboxSnapshot>? Published;

    /// <summary>Raised by <see cref="End"/> on the owner's thread: handlers only take note.</summary>
    event Action<MailboxKey, MailboxEnd>? Ended;
}
