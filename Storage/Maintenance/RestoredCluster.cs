using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Ids;
using MailCluster.Storage.Membership;
using Npgsql;

namespace MailCluster.Storage.Maintenance;

/// <summary>How far ahead of a restored backup numbers go on: more than can have been given out since it was made.</summary>
/// <param name="Uids">Added to each UIDNEXT. A mailbox that has no room for it (UIDs end at 2³²-1) gets a new UIDVALIDITY instead.</param>
/// <param name="ModSeqs">Added to each HIGHESTMODSEQ.</param>
public sealed record RestoreAhead(long Uids, long ModSeqs)
{
    public static readonly RestoreAhead Default = new(1_000_000, 1L << 30);
}

/// <summary>What was moved so far.</summary>
/// <param name="Resumed">A run that was broken off is gone on with.</param>
public sealed record RestoreProgress(bool Resumed, long Accounts, long Mailboxes, long Messages);

/// <summary>Why nothing was done: nodes run. The message names them.</summary>
public sealed class NodesAliveException(string message) : Exception(message);

/// <summary>
/// Makes a database that was restored from a backup fit to be served. Clients have seen numbers that were given out after the backup was made, so that all
/// that is given out from now on lies far ahead: UIDs, modseqs, epochs, UIDVALIDITYs, ids. Every message gets a modseq that nobody has seen, and the log of
/// expunges begins anew: a client that comes with QRESYNC (RFC 7162) is told all flags and everything that is not there, since what it knows may never have been.
/// Batches of accounts by key, each one transaction; a run that was broken off goes on where it was.
/// </summary>
public sealed class RestoredCluster(NpgsqlDataSource database)
{
    private const long AdvisoryLock = 0x4D61696C_52657374;
    private const long MaxUid = uint.MaxValue;

    /// <summary>Blocks of ids that are passed over.</summary>
    private const long IdBlocksAhead = 1_000_000;

    /// <summary>Added to each epoch, and in seconds to each account's and name's UIDVALIDITY (11 days: those follow the clock).</summary>
    private const long Ahead = 1_000_000;

    /// <summary>Messages of a batch, unless one account has more.</summary>
    public int BatchMessages { get; init; } = 20_000;

    /// <summary>Accounts of a batch.</summary>
    public int BatchAccounts { get; init; } = 200;

    /// <summary>True while a run was begun and not ended: no node may serve this database.</summary>
    public static Task<bool> IsUnfinishedAsync(NpgsqlDataSource database) => Store.Guard(async () =>
        await database.ScalarAsync("select exists (select 1 from directory.restore_run where ended is null)") is true);

    /// <summary>Runs to the end.</summary>
    /// <param name="ahead">For a new run; one that is gone on with keeps its own.</param>
    /// <param name="fromStart">Begin anew where an earlier run was broken off.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <exception cref="NodesAliveException">Nodes run.</exception>
    /// <exception cref="StoreUnavailableException">PostgreSQL can't be reached.</exception>
    public Task<RestoreProgress> RunAsync(RestoreAhead ahead, bool fromStart, Action<RestoreProgress>? progress, CancellationToken cancellationToken) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.OpenConnectionAsync(cancellationToken);
        if (await connection.ScalarAsync("select pg_try_advisory_lock($1)", AdvisoryLock) is not true)
            throw new NodesAliveException("Another 'cluster restored' runs.");
        try
        {
            await NobodyAsync();
            (long run, bool resumed) = await BeginAsync(connection, ahead, fromStart);
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await NobodyAsync();
                bool more = await BatchAsync(connection, run);
                (long accounts, long mailboxes, long messages) = await MovedAsync(run);
                var moved = new RestoreProgress(resumed, accounts, mailboxes, messages);
                if (more)
                {
                    progress?.Invoke(moved);
                    continue;
                }
                await EndAsync(connection, run);
                return moved;
            }
        }
        finally
        {
            await connection.ExecuteAsync("select pg_advisory_unlock($1)", AdvisoryLock);
        }
    });

    private async Task NobodyAsync()
    {
        List<NodeMember> alive = await NodeMember.ListAsync(database, lately: true);
        if (alive.Count > 0)
        {
            throw new NodesAliveException($"Nodes run: {string.Join(", ", alive.Select(static m => m.Name).Distinct())}. Stop them all first; "
                + $"one that was killed counts as running until {NodeMember.Patience.TotalSeconds:0} s after its last sign of life.");
        }
    }

    private static async Task<(long Run, bool Resumed)> BeginAsync(NpgsqlConnection connection, RestoreAhead ahead, bool fromStart)
    {
        if (!fromStart && await connection.ScalarAsync("select id from directory.restore_run where ended is null order by id desc limit 1") is long unfinished)
            return (unfinished, true);
        // Before anything else: whatever happens to the run, no id is given out twice. A sequence takes part in no transaction.
        await connection.ExecuteAsync("select setval('directory.id_block', nextval('directory.id_block') + $1)", IdBlocksAhead * IdBlocks.BlockSize);
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("update directory.restore_run set ended = now() where ended is null");
        var run = (long)(await connection.ScalarAsync("insert into directory.restore_run (uids, modseqs) values ($1, $2) returning id", ahead.Uids, ahead.ModSeqs))!;
        await transaction.CommitAsync();
        return (run, false);
    }

    /// <summary>Moves the next accounts; false when there were none left.</summary>
    private async Task<bool> BatchAsync(NpgsqlConnection connection, long run)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        object? batch = await connection.ScalarAsync(
            """
            select array_agg(x.account_id) from (
                select a.account_id, sum(a.messages) over (order by a.account_id) - a.messages as before, row_number() over (order by a.account_id) as place
                from (select * from mail.account a where a.account_id > (select r.last_account from directory.restore_run r where r.id = $1)
                    order by a.account_id limit $3) a) x
            where x.before < $2 or x.place = 1
            """, run, (long)BatchMessages, BatchAccounts);
        if (batch is not long[] accounts)
            return false;
        // What a name had is now ahead of all that anybody was told, also of names that were deleted and made again since the backup.
        await connection.ExecuteAsync(
            "update mail.account set last_uidvalidity = greatest(last_uidvalidity, extract(epoch from now())::bigint) + $2 where account_id = any($1)", accounts, Ahead);
        await connection.ExecuteAsync(
            """
            insert into mail.name_history as h (user_name, path, uidvalidity)
            select a.user_name, m.path, a.last_uidvalidity from mail.mailbox m join mail.account a on a.account_id = m.account_id
            where m.account_id = any($1) and m.deleted_at is null
            on conflict (user_name, path) do update set uidvalidity = greatest(h.uidvalidity, excluded.uidvalidity)
            """, accounts);
        await connection.ExecuteAsync(
            """
            update mail.name_history h set uidvalidity = greatest(h.uidvalidity, a.last_uidvalidity) from mail.account a
            where a.account_id = any($1) and h.user_name = a.user_name
            """, accounts);
        var full = await connection.ScalarAsync(
            """
            with full_one as (
                update mail.mailbox m set uidvalidity = mail.next_uidvalidity(m.account_id, m.path) from directory.restore_run r
                where r.id = $2 and m.account_id = any($1) and m.deleted_at is null and m.uidnext + r.uids > $3 returning m.id
            )
            select coalesce(array_agg(id), '{}') from full_one
            """, accounts, run, MaxUid);
        int mailboxes = await connection.ExecuteAsync(
            """
            update mail.mailbox m set uidnext = case when m.id = any($3) then m.uidnext else m.uidnext + r.uids end,
                highest_modseq = m.highest_modseq + r.modseqs, vanished_floor = m.highest_modseq + r.modseqs, epoch = m.epoch + $4, owner = null
            from directory.restore_run r where r.id = $2 and m.account_id = any($1) and m.deleted_at is null
            """, accounts, run, full, Ahead);
        int messages = await connection.ExecuteAsync(
            """
            update mail.message_flags f set modseq = m.highest_modseq from mail.mailbox m
            where m.account_id = any($1) and m.deleted_at is null and f.account_id = m.account_id and f.mailbox_id = m.id
            """, accounts);
        await connection.ExecuteAsync(
            "update directory.restore_run set last_account = $2, accounts = accounts + $3, mailboxes = mailboxes + $4, messages = messages + $5 where id = $1",
            run, accounts.Max(), (long)accounts.Length, (long)mailboxes, (long)messages);
        await transaction.CommitAsync();
        return true;
    }

    /// <summary>Names of accounts that are gone, and members of the time of the backup, which nobody is to wait for; then the database may be served.</summary>
    private static async Task EndAsync(NpgsqlConnection connection, long run)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync(
            """
            update mail.name_history h set uidvalidity = greatest(h.uidvalidity, extract(epoch from now())::bigint) + $1
            where not exists (select 1 from mail.account a where a.user_name = h.user_name)
            """, Ahead);
        await connection.ExecuteAsync("update orleans.membership_version set version = version + 1, changed = now()");
        await connection.ExecuteAsync("delete from orleans.membership");
        await connection.ExecuteAsync("delete from directory.session");
        await connection.ExecuteAsync("delete from directory.front_end");
        await connection.ExecuteAsync("update directory.restore_run set ended = now() where id = $1", run);
        await transaction.CommitAsync();
    }

    private async Task<(long, long, long)> MovedAsync(long run) =>
        (await database.ListAsync("select accounts, mailboxes, messages from directory.restore_run where id = $1", static r => (r.GetInt64(0), r.GetInt64(1), r.GetInt64(2)), run))[0];
}
