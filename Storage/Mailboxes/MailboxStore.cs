using System.Collections.Immutable;
using System.Data;
using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage.Mailboxes;

/// <summary>A claim on a mailbox: until somebody else claims it, commits under <see cref="Epoch"/> succeed.</summary>
/// <param name="Previous">Who has it, or had it and did not give it back, as it named itself; null: nobody.</param>
/// <param name="Path">Its name; null where a silo of a release that does not tell owners of a change of it may be in the cluster.</param>
/// <param name="Keywords">The names of its keywords, used or not.</param>
public sealed record MailboxClaim(
    long Epoch, TenantId Tenant, MailboxStatus Status, long FirstRecent, string? Previous, MailboxPath? Path, IReadOnlyList<string> Keywords);

/// <summary>What an operation has done; its fields as those of <see cref="Lanes.CommitOutcome"/>.</summary>
/// <param name="UidValidity">Null: of the mailbox's row nothing is left.</param>
/// <param name="SourceEpoch">Null: there is no source, or it was deleted.</param>
public sealed record OperationOutcome(uint? UidValidity, long ModSeq, UidSet Uids, long? SourceModSeq, long? SourceEpoch, UidSet SourceUids);

/// <summary>The rows of one mailbox, for its owner. Changes go through the lanes; here are the claim and the reads.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.</remarks>
public sealed class MailboxStore(MailDatabase database, SnapshotPageOptions? pageOptions = null)
{
    private readonly SnapshotPageOptions _pages = pageOptions ?? new();
    private readonly SemaphoreSlim _packing = new(1);

    /// <summary>Milliseconds that the tries of a claim wait for the row; between them the connections of dead silos are ended. A live commit takes a few.</summary>
    private static readonly int[] _claimWaits = [200, 800, 1000];

    /// <summary>
    /// Durably makes the caller the owner: raises the epoch, so that every commit under an older one is refused. Waits behind a commit in flight, at most some
    /// seconds; where a dead silo's connection is what it waits for, it ends that. Null: there is no such mailbox (any more).
    /// </summary>
    public Task<MailboxClaim?> ClaimAsync(MailboxKey key, string owner) => Store.Guard(async () =>
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return await ClaimAsync(key, owner, _claimWaits[attempt]);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable && attempt + 1 < _claimWaits.Length)
            {
                await EndDeadBackendsAsync();
            }
        }
    });

    /// <summary>Who has claimed the mailbox and not given the claim back, as it named itself; null: nobody, or there is no such mailbox.</summary>
    public Task<string?> OwnerAsync(MailboxKey key) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        await using NpgsqlCommand command = Command(connection, "select owner from mail.mailbox where account_id = $1 and id = $2 and deleted_at is null", key);
        return await command.ExecuteScalarAsync() as string;
    });

    /// <summary>Ends the commit connections of silos that are dead; a backend that can't get rid of its result holds locks until then. Returns how many there were.</summary>
    public Task<int> EndDeadBackendsAsync() => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.Main.CreateCommand("select mail.end_dead_backends_v1()");
        return (int)(await command.ExecuteScalarAsync())!;
    });

    private async Task<MailboxClaim?> ClaimAsync(MailboxKey key, string owner, int wait)
    {
        await using NpgsqlCommand command = database.Main.CreateCommand(
            """
            select c.epoch, c.tenant_id, c.uidvalidity, c.uidnext, c.highest_modseq, c.messages, c.unseen, c.deleted, c.bytes, c.first_recent, c.previous, c.keywords,
                case when not exists (
                    select 1 from orleans.membership s left join directory.silo d on d.address = s.address || ':' || s.port || '@' || s.generation
                    where s.status <> 6 and coalesce(d.code_version, 0) < 26) then c.path end
            from mail.claim_v3($1, $2, $3, $4) c
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = key.Account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = key.Mailbox.Value });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = owner });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = wait });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync())
            return null;
        long uidNext = reader.GetInt64(3), firstRecent = reader.GetInt64(9);
        var status = new MailboxStatus(key.Mailbox, (uint)reader.GetInt64(2), (uint)uidNext, reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6),
            reader.GetInt64(7), reader.GetInt64(8), 0);
        return new MailboxClaim(reader.GetInt64(0), new TenantId(reader.GetInt64(1)), status, firstRecent, reader.IsDBNull(10) ? null : reader.GetString(10),
            reader.IsDBNull(12) ? null : MailboxPath.Of(reader.GetFieldValue<string[]>(12)), reader.GetFieldValue<string[]>(11));
    }

    /// <summary>Ends when the version that was loaded last is packed, where it was worth it. For tests.</summary>
    internal Task Packing { get; private set; } = Task.CompletedTask;

    /// <summary>
    /// The whole mailbox at one point in time, with the counters of that time: from packed pages and what has changed since, or else from the rows. Null: it is gone, or
    /// <paramref name="epoch"/> is over.
    /// </summary>
    public Task<(MailboxSnapshot Snapshot, MailboxStatus Status)?> LoadAsync(MailboxKey key, long epoch) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        // One snapshot for all statements.
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        MailboxStatus status;
        long floor;
        await using (NpgsqlCommand command = Command(connection,
            """
            select uidvalidity, uidnext, highest_modseq, messages, unseen, deleted, bytes, vanished_floor from mail.mailbox
            where account_id = $1 and id = $2 and epoch = $3 and deleted_at is null
            """, key, epoch))
        await using (NpgsqlDataReader reader = await command.ExecuteReaderAsync())
        {
            if (!await reader.ReadAsync())
                return null;
            (status, floor) = (Status(reader, key), reader.GetInt64(7));
        }
        Dictionary<short, string> keywords = await KeywordsAsync(connection, key);
        MailboxSharing sharing = await SharingAsync(connection, key);
        bool large = status.Messages >= _pages.MinMessages;
        PackedVersion? packed = large ? await SnapshotPages.ReadAsync(connection, key, epoch, status, floor, keywords) : null;
        MailboxSnapshot snapshot = (packed?.Snapshot ?? await ReadRowsAsync(connection, key, epoch, status, keywords)).With(sharing);
        await transaction.CommitAsync();
        if (large && (packed is null || packed.Changed >= _pages.MinChanges))
            Packing = Task.Run(() => PackAsync(key, snapshot, packed));
        return ((MailboxSnapshot, MailboxStatus)?)(snapshot, status);
    });

    private static async Task<MailboxSharing> SharingAsync(NpgsqlConnection connection, MailboxKey key)
    {
        var entries = new List<AclEntry>();
        var seen = ImmutableDictionary.CreateBuilder<AccountId, UidSet>();
        await using NpgsqlCommand command = Command(connection,
            """
            select a.grantee_id, a.negative, a.rights, null::int8multirange,
                case when a.grantee_id = 0 or g.tenant_id = a.tenant_id then 0 when mail.tenants_share_v1(a.tenant_id, g.tenant_id) then 1 else 2 end
            from mail.acl a left join mail.account g on g.account_id = a.grantee_id where a.account_id = $1 and a.mailbox_id = $2
            union all select b.viewer_id, null, null, b.uids, null from mail.seen_by b where b.account_id = $1 and b.mailbox_id = $2
            """, key);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var account = new AccountId(reader.GetInt64(0));
            if (reader.IsDBNull(1))
                seen[account] = Multirange.Read(reader, 3);
            else
                entries.Add(new AclEntry(account, reader.GetBoolean(1), (MailRights)reader.GetInt32(2), (AclStanding)reader.GetInt32(4)));
        }
        return entries.Count == 0 && seen.Count == 0 ? MailboxSharing.None : new MailboxSharing(new MailboxAcl(entries), seen.ToImmutable());
    }

    /// <summary>The list of rights as committed.</summary>
    public Task<MailboxAcl> AclAsync(MailboxKey key) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        return (await SharingAsync(connection, key)).Acl;
    });

    /// <summary>What an account may do with a mailbox, as committed: all with its own, nothing across tenants that do not share.</summary>
    public Task<MailRights> RightsAsync(MailboxKey key, AccountId account) => account == key.Account ? Task.FromResult(MailRights.All) : Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        await using NpgsqlCommand command = Command(connection, "select mail.rights_v2($1, $2, $3)", key, account.Value);
        return (MailRights)(int)(await command.ExecuteScalarAsync())!;
    });

    /// <summary>What a line of a list of rights of a tenant's mailbox counts for that names an account.</summary>
    public Task<AclStanding> StandingAsync(AccountId account, TenantId tenant) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.Main.CreateCommand(
            "select case when g.tenant_id = $2 then 0 when mail.tenants_share_v1($2, g.tenant_id) then 1 else 2 end from mail.account g where g.account_id = $1");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = tenant.Value });
        return await command.ExecuteScalarAsync() is int standing ? (AclStanding)standing : AclStanding.Suspended;
    });

    internal static async Task<MailboxSnapshot> ReadRowsAsync(NpgsqlConnection connection, MailboxKey key, long epoch, MailboxStatus status, Dictionary<short, string> keywords)
    {
        var builder = new SnapshotBuilder(keywords);
        if (status.Messages >= 500)
        {
            // A mailbox that was just filled is unknown to the statistics, and is taken for one of a few messages: then both tables are joined by a loop that reads all flags for each message.
            await using var linear = new NpgsqlCommand("set local enable_nestloop = off", connection);
            await linear.ExecuteNonQueryAsync();
        }
        await using NpgsqlCommand command = Command(connection,
            $"""
            select {SnapshotBuilder.Columns}
            from mail.message m join mail.message_flags f on f.account_id = m.account_id and f.mailbox_id = m.mailbox_id and f.uid = m.uid
            where m.account_id = $1 and m.mailbox_id = $2 order by m.uid
            """, key);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            builder.Add(reader);
        return MailboxSnapshot.Of(epoch, status.HighestModSeq, status.UidNext, builder.Keywords, builder.Finish(), status.UidValidity);
    }

    /// <summary>Packs what was loaded, one mailbox at a time, while nobody waits. Best effort.</summary>
    private async Task PackAsync(MailboxKey key, MailboxSnapshot snapshot, PackedVersion? basedOn)
    {
        await _packing.WaitAsync();
        try
        {
            await SnapshotPages.WriteAsync(database.Main, key, snapshot, basedOn);
        }
        catch (Exception e) when (Store.IsOutage(e))
        {
            // The next load is as slow as this one was.
        }
        finally
        {
            _packing.Release();
        }
    }

    /// <summary>The counters as committed, and the names of its keywords, used or not; null: the mailbox is gone.</summary>
    public Task<(MailboxStatus Status, IReadOnlyList<string> Keywords)?> SelectAsync(MailboxKey key) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        await using NpgsqlCommand command = Command(connection,
            """
            select m.uidvalidity, m.uidnext, m.highest_modseq, m.messages, m.unseen, m.deleted, m.bytes,
                array(select k.name from mail.keyword k where k.account_id = m.account_id and k.mailbox_id = m.id order by k.id)
            from mail.mailbox m where m.account_id = $1 and m.id = $2 and m.deleted_at is null
            """, key);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? (Status(reader, key), reader.GetFieldValue<string[]>(7)) : ((MailboxStatus, IReadOnlyList<string>)?)null;
    });

    /// <summary>The counters as committed; null: the mailbox is gone.</summary>
    public Task<MailboxStatus?> StatusAsync(MailboxKey key) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        await using NpgsqlCommand command = Command(connection,
            """
            select uidvalidity, uidnext, highest_modseq, messages, unseen, deleted, bytes from mail.mailbox
            where account_id = $1 and id = $2 and deleted_at is null
            """, key);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? Status(reader, key) : null;
    });

    /// <summary>
    /// Those of some versions that the rows are ahead of: the place in <paramref name="versions"/>, the row's epoch (null: the mailbox is gone) and its highest modseq.
    /// </summary>
    public Task<IReadOnlyList<(int Index, long? Epoch, long ModSeq)>> AheadAsync(IReadOnlyList<KeyValuePair<MailboxKey, MailboxSnapshot>> versions) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.Main.CreateCommand(
            """
            select k.i::integer - 1, m.epoch, m.highest_modseq
            from unnest($1, $2, $3, $4) with ordinality as k(account_id, id, epoch, modseq, i)
            left join mail.mailbox m on m.account_id = k.account_id and m.id = k.id and m.deleted_at is null
            where m.id is null or m.epoch > k.epoch or (m.epoch = k.epoch and m.highest_modseq > k.modseq)
            """);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. versions.Select(static v => v.Key.Account.Value)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. versions.Select(static v => v.Key.Mailbox.Value)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. versions.Select(static v => v.Value.Epoch)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. versions.Select(static v => v.Value.ModSeq)] });
        var ahead = new List<(int, long?, long)>();
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            ahead.Add((reader.GetInt32(0), reader.IsDBNull(1) ? null : reader.GetInt64(1), reader.IsDBNull(2) ? 0 : reader.GetInt64(2)));
        return (IReadOnlyList<(int, long?, long)>)ahead;
    });

    /// <summary>
    /// What an operation has done to this mailbox, which may have been deleted since; null: nothing. Where the mailbox's row says that it was deleted, or was claimed since the operation was begun, that
    /// is certain for good: whatever is still under way waits for the row, and is refused.
    /// </summary>
    /// <param name="source">Where COPY, MOVE and REPLACE take from.</param>
    public Task<OperationOutcome?> OutcomeAsync(MailboxKey key, OperationId operation, MailboxKey? source) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        await using NpgsqlCommand command = Command(connection,
            """
            select p.modseq, p.src_modseq, p.uids, p.src_uids, m.uidvalidity, s.epoch
            from mail.operation p left join mail.mailbox m on m.account_id = p.account_id and m.id = $2
                left join mail.mailbox s on s.account_id = $5 and s.id = $6 and s.deleted_at is null
            where p.account_id = $1 and p.incarnation = $3 and p.counter = $4 and p.status = 0 and p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour'
            """, key, operation.Incarnation, operation.Counter, source?.Account.Value ?? 0, source?.Mailbox.Value ?? 0);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        return !await reader.ReadAsync() ? null : new OperationOutcome(
            reader.IsDBNull(4) ? null : (uint)reader.GetInt64(4), reader.IsDBNull(0) ? 0 : reader.GetInt64(0), Multirange.Read(reader, 2),
            reader.IsDBNull(1) ? null : reader.GetInt64(1), reader.IsDBNull(5) ? null : reader.GetInt64(5), Multirange.Read(reader, 3));
    });

    /// <summary>
    /// Gives a claim back, so that STATUS is answered from the row, and saves the first UID that is still \Recent. Best effort: an outage is passed over.
    /// The caller answers nothing from memory any more.
    /// </summary>
    public async Task ReleaseAsync(MailboxKey key, long epoch, uint firstRecent, CancellationToken cancellationToken)
    {
        try
        {
            await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync(cancellationToken);
            await using NpgsqlCommand command = Command(connection, "select mail.release_v1($1, $2, $3, $4)", key, epoch, firstRecent);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception e) when (Store.IsOutage(e) || e is OperationCanceledException)
        {
            // The owner that is named has ended, which the membership or a call to the mailbox tells; \Recent may be shown once more.
        }
    }

    /// <summary>See <see cref="IMailboxGrain.Vanished"/>.</summary>
    /// <returns>Null: the mailbox is gone, and its log perhaps with it.</returns>
    public Task<UidSet?> VanishedAsync(MailboxKey key, long since) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        await using NpgsqlCommand command = Command(connection,
            "select mail.vanished_v1(m.account_id, m.id, $3) from mail.mailbox m where m.account_id = $1 and m.id = $2 and m.deleted_at is null", key, since);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? Multirange.Read(reader, 0) : null;
    });

    /// <summary>Unique-ids that messages were imported with, from a UID on, in UID order. One row is read where there are none.</summary>
    public Task<IReadOnlyList<ImportedUidl>> ImportedUidlsAsync(MailboxKey key, uint from, int count) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        await using NpgsqlCommand command = Command(connection,
            """
            select m.uid, m.pop3_uidl from mail.mailbox b join mail.message m on m.account_id = b.account_id and m.mailbox_id = b.id
            where b.account_id = $1 and b.id = $2 and b.pop3_uidls and m.pop3_uidl is not null and m.uid >= $3 order by m.uid limit $4
            """, key, from, count);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var uidls = new List<ImportedUidl>();
        while (await reader.ReadAsync())
            uidls.Add(new ImportedUidl((uint)reader.GetInt64(0), reader.GetString(1)));
        return (IReadOnlyList<ImportedUidl>)uidls;
    });

    private static MailboxStatus Status(NpgsqlDataReader row, MailboxKey key) => new(
        key.Mailbox, (uint)row.GetInt64(0), (uint)row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), 0);

    private static async Task<Dictionary<short, string>> KeywordsAsync(NpgsqlConnection connection, MailboxKey key)
    {
        var keywords = new Dictionary<short, string>();
        await using NpgsqlCommand command = Command(connection, "select id, name from mail.keyword where account_id = $1 and mailbox_id = $2 order by id", key);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            keywords.Add(reader.GetInt16(0), reader.GetString(1));
        return keywords;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, MailboxKey key, params ReadOnlySpan<long> more)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = key.Account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = key.Mailbox.Value });
        foreach (long value in more)
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = value });
        return command;
    }
}
