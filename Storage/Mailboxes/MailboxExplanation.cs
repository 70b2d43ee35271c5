using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Npgsql;

namespace MailCluster.Storage.Mailboxes;

/// <summary>What an operation did to a mailbox; the numbers are those of mail.change.kind.</summary>
public enum MailboxChangeKind
{
    Added = 1,
    Flags,
    Expunged,
    CopiedIn,
    MovedIn,
    MovedOut,

    /// <summary>A line of the list of rights.</summary>
    Rights = 20,
}

/// <summary>One change of a mailbox, as the log has it.</summary>
/// <param name="Uids">An IMAP sequence set.</param>
/// <param name="User">Who did it: a log-in name, for deliveries the recipient's.</param>
/// <param name="Session">In which session, for deliveries under which queue id.</param>
/// <param name="Address">From which client address.</param>
/// <param name="Client">What the client calls itself, while its session lives.</param>
public sealed record MailboxChange(
    long ModSeq, MailboxChangeKind Kind, string Uids, string User, string Session, string? Address, string? Client, DateTimeOffset At, string Operation);

/// <summary>A mailbox as its row says.</summary>
/// <param name="Owner">The address with generation of the silo that claimed it last; null where none did, or it gave the claim back.</param>
/// <param name="OwnerNode">That silo's name, where the membership has it.</param>
/// <param name="OwnerAlive">It is a member that is not dead.</param>
/// <param name="VanishedFloor">Expunges up to this modseq are no longer in the log.</param>
public sealed record MailboxExplanation(
    MailboxKey Key, string User, IReadOnlyList<string> Path, IReadOnlyList<string> SpecialUse, long UidValidity, long UidNext, long HighestModSeq, long VanishedFloor,
    long FirstRecent, long Messages, long Unseen, long Deleted, long Bytes, long Epoch, string? Owner, string? OwnerNode, bool OwnerAlive, DateTimeOffset Created)
{
    /// <summary>Reads the row; null: there is no such mailbox any more.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL can't be reached.</exception>
    public static Task<MailboxExplanation?> ReadAsync(NpgsqlDataSource database, MailboxKey key) => Store.Guard(async () => (await database.ListAsync(
        """
        select a.user_name, m.path, m.special_use, m.uidvalidity, m.uidnext, m.highest_modseq, m.vanished_floor, m.first_recent, m.messages, m.unseen, m.deleted,
            m.bytes, m.epoch, m.owner, s.silo_name, coalesce(s.status <> 6, false), m.created
        from mail.mailbox m join mail.account a on a.account_id = m.account_id
        left join orleans.membership s on s.address || ':' || s.port || '@' || s.generation = m.owner
        where m.account_id = $1 and m.id = $2 and m.deleted_at is null limit 1
        """,
        r => new MailboxExplanation(
            key, r.GetString(0), r.GetFieldValue<string[]>(1), r.GetFieldValue<string[]>(2), r.GetInt64(3), r.GetInt64(4), r.GetInt64(5), r.GetInt64(6), r.GetInt64(7),
            r.GetInt64(8), r.GetInt64(9), r.GetInt64(10), r.GetInt64(11), r.GetInt64(12), r.IsDBNull(13) ? null : r.GetString(13),
            r.IsDBNull(14) ? null : r.GetString(14), r.GetBoolean(15), r.GetFieldValue<DateTimeOffset>(16)),
        key.Account.Value, key.Mailbox.Value)).FirstOrDefault());

    /// <summary>The last changes, the newest first.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL can't be reached.</exception>
    public static Task<List<MailboxChange>> ChangesAsync(NpgsqlDataSource database, MailboxKey key, int count) => Store.Guard(() => database.ListAsync(
        """
        select c.modseq, c.kind, c.uids, c.actor, c.session, c.address, s.client, c.at, c.incarnation, c.counter
        from (select * from mail.change c where c.account_id = $1 and c.mailbox_id = $2 order by c.modseq desc limit $3) c
        left join directory.session s on s.session_id = c.session and s.account_id = c.account_id
        order by c.modseq desc
        """,
        static r => new MailboxChange(
            r.GetInt64(0), (MailboxChangeKind)r.GetInt16(1), Multirange.Read(r, 2).ToString(), r.GetString(3), r.GetString(4), r.IsDBNull(5) ? null : r.GetString(5),
            r.IsDBNull(6) ? null : r.GetString(6), r.GetFieldValue<DateTimeOffset>(7), new OperationId(r.GetInt64(8), r.GetInt64(9)).ToString()),
        key.Account.Value, key.Mailbox.Value, count));
}
