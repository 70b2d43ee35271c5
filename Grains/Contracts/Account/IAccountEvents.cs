using System.Buffers.Binary;
using System.Security.Cryptography;
using Orleans.Concurrency;

namespace MailCluster.Contracts;

/// <summary>
/// The account's owner as the hub of what happens in the account (IMAP NOTIFY, RFC 5465): front-end processes with sessions that asked register here, mailbox owners tell what changes,
/// and the owner passes it on. The same grain as <see cref="IAccountGrain"/>, by the same key.
/// <para>What is pushed is a hint and may be lost: with an owner, with a front end, on the way. Who watches finds out by the numbers of <see cref="AccountWatching"/>, by the death of a silo, and
/// by a look now and then, and reads the tree with its counters anew; nothing is known by pushes alone.</para>
/// </summary>
[Alias("MailCluster.IAccountEvents")]
public interface IAccountEvents : IGrainWithIntegerKey
{
    /// <summary>
    /// Registers a front-end process, or renews its lease of <see cref="AccountLimits.WatchLease"/>. When it returns for a new registration, the owners of all mailboxes know that they are watched:
    /// what the tree shows after it and what is pushed from then on is everything. Failure: <see cref="MailErrorCode.Unavailable"/>.
    /// </summary>
    [Alias("Watch"), ResponseTimeout(AccountLimits.TreeTimeout)]
    ValueTask<MailResult<AccountWatching>> Watch(IAccountObserver observer);

    /// <summary>All annotations that the account's user reads, each with a mark of its value (RFC 5464): who watches compares them. Changes are pushed as changes of the tree.</summary>
    [Alias("Annotations")]
    ValueTask<MailResult<IReadOnlyList<AnnotationMark>>> Annotations();

    /// <summary>Ends a registration.</summary>
    [Alias("Unwatch")]
    ValueTask Unwatch(IAccountObserver observer);

    /// <summary>For the owner of another account: what this one may do with a mailbox there has changed.</summary>
    [Alias("SharingChanged")]
    ValueTask SharingChanged();

    /// <summary>
    /// For the owner of a mailbox: it has changed. False when nobody watches: it need say nothing more until it is told otherwise (<see cref="IWatchedMailbox.Watched"/>).
    /// </summary>
    /// <param name="counters">Those of the version in memory; null: the row is read.</param>
    [Alias("Heard")]
    ValueTask<bool> Heard(MailboxId mailbox, MailboxStatus? counters);
}

/// <summary>The owner of a mailbox, as the account's owner sees it. The same grain as <see cref="IMailboxGrain"/>, by the same key.</summary>
[Alias("MailCluster.IWatchedMailbox")]
public interface IWatchedMailbox : IGrainWithStringKey
{
    /// <summary>From now on changes are told to the account's owner, until it says that nobody wants to know. Claims and loads nothing.</summary>
    [Alias("Watched")]
    ValueTask Watched();
}

/// <summary>A front-end process that watches accounts. One object a process.</summary>
[Alias("MailCluster.IAccountObserver")]
public interface IAccountObserver : IGrainObserver
{
    [OneWay, Alias("Changed")]
    Task Changed(AccountId account, AccountNews news);

    /// <summary>The registration is over (the owner moves): register anew.</summary>
    [OneWay, Alias("Ended")]
    Task Ended(AccountId account);
}

/// <summary>How far a registration has come.</summary>
/// <param name="Registration">Another one than before: what was pushed in between, this process did not get.</param>
/// <param name="Sent">The number of the last push to this observer under this registration.</param>
[GenerateSerializer, Immutable, Alias("AccountWatching")]
public readonly record struct AccountWatching([property: Id(0)] long Registration, [property: Id(1)] long Sent);

/// <summary>An annotation as it is now, without its value.</summary>
/// <param name="Mailbox">0: the server's.</param>
/// <param name="Mark">Another one where the value is another.</param>
[GenerateSerializer, Immutable, Alias("AnnotationMark")]
public readonly record struct AnnotationMark([property: Id(0)] MailboxId Mailbox, [property: Id(1)] string Entry, [property: Id(2)] long Mark)
{
    /// <summary>The first octets of the value's MD5, as PostgreSQL computes it, too: no secret, only a difference.</summary>
    public static long Of(ReadOnlySpan<byte> value) => BinaryPrimitives.ReadInt64BigEndian(MD5.HashData(value));
}

/// <summary>Something happened in an account.</summary>
/// <param name="Registration">See <see cref="AccountWatching"/>.</param>
/// <param name="Number">1, 2, 3… under a registration.</param>
/// <param name="Counters">Not null: the counters of a mailbox as they are now.</param>
/// <param name="Tree">Names, uses, subscriptions, annotations or what others share changed: read them.</param>
[GenerateSerializer, Immutable, Alias("AccountNews")]
public sealed record AccountNews(
    [property: Id(0)] long Registration, [property: Id(1)] long Number, [property: Id(2)] MailboxStatus? Counters, [property: Id(3)] bool Tree);
