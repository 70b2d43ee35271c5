using System.Globalization;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Accounts;

/// <summary>What creating a mailbox came to.</summary>
public enum CreateOutcome
{
    Done = 0,
    Exists = 1,
    TooMany = 2,
    SpecialUseTaken = 3,
    NoAccount = 4,

    /// <summary>The account that asks lacks a right.</summary>
    NotPermitted = 10,
}

/// <summary>What deleting a mailbox came to.</summary>
public enum DeleteOutcome
{
    Done = 0,
    NonExistent = 1,

    /// <summary>There is no mailbox of this name, only some below it.</summary>
    OnlyChildren = 2,

    /// <summary>The account that asks lacks a right.</summary>
    NotPermitted = 10,
}

/// <summary>What renaming a mailbox came to.</summary>
public enum RenameOutcome
{
    Done = 0,
    NonExistent = 1,
    Exists = 2,

    /// <summary>The new name lies below the old one.</summary>
    BelowItself = 3,

    /// <summary>The account that asks lacks a right.</summary>
    NotPermitted = 10,
}

/// <summary>A mailbox as its row has it.</summary>
/// <param name="Owner">The silo that may have it in memory, by address with generation; null: nobody has, the counters are all there is.</param>
public sealed record StoredMailbox(MailboxInfo Info, string? Owner);

/// <summary>A claim on a mailbox whose name is to change.</summary>
/// <param name="Owner">The silo that holds it, by address with generation.</param>
public sealed record NamedClaim(MailboxId Mailbox, long Epoch, string Owner);

/// <summary>
/// The mailboxes of an account as a tree, and its subscriptions. Every change is one transaction; with an operation id that was used before it changes nothing
/// and answers Done. Every method throws <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.
/// </summary>
public sealed class AccountTreeStore(MailDatabase database)
{
    /// <summary>
    /// What a row is read by. What is \Deleted is added up when it is asked for, and only where something is: a counter in the row would have to be kept right by nodes of all
    /// releases, for a number that hardly anybody asks for. What a viewer has not seen is counted when it is asked for, too.
    /// </summary>
    /// <param name="viewer">The parameter that is the account that asks, where that is not the mailbox's.</param>
    private static string Columns(bool deletedBytes, string? viewer = null, bool withStatus = true) =>
        $"""
        m.id, m.uidvalidity, m.uidnext, m.highest_modseq, m.messages,
        {(viewer is null || !withStatus ? "m.unseen" : $"mail.unseen_v1(m.account_id, m.id, {viewer}, m.messages)")}, m.deleted, m.bytes, m.first_recent, m.path, m.special_use, m.owner,
        {(deletedBytes ? _deletedBytes : "null::bigint")}, {(viewer is null ? ((int)MailRights.All).ToString(CultureInfo.InvariantCulture) : $"mail.rights_v2(m.account_id, m.id, {viewer})")}
        """;

    private const string _deletedBytes =
        """
        case when m.deleted = 0 then 0 else (select coalesce(sum(s.size), 0)::bigint from mail.message_flags f
            join mail.message s on s.account_id = f.account_id and s.mailbox_id = f.mailbox_id and s.uid = f.uid
            where f.account_id = m.account_id and f.mailbox_id = m.id and f.flags & 8 <> 0) end
        """;

    /// <summary>All mailboxes and subscriptions, in path order; counters too where asked for. Two statements, whatever their number.</summary>
    public async Task<MailboxTree> ListAsync(AccountId account, bool withStatus)
    {
        (List<StoredMailbox> mailboxes, List<MailboxPath> subscriptions) = await ListRowsAsync(account, withStatus);
        return new MailboxTree([.. mailboxes.Select(static m => m.Info)], subscriptions);
    }

    /// <summary>As <see cref="ListAsync"/>, with the owners.</summary>
    public Task<(List<StoredMailbox> Mailboxes, List<MailboxPath> Subscriptions)> ListRowsAsync(AccountId account, bool withStatus, bool withDeletedBytes = false) => Store.Guard(async () =>
    {
        var mailboxes = new List<StoredMailbox>();
        var subscriptions = new List<MailboxPath>();
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        await using (NpgsqlCommand command = Command(connection,
            $"select {Columns(withDeletedBytes)} from mail.mailbox m where m.account_id = $1 and m.deleted_at is null", account))
        await using (NpgsqlDataReader reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                mailboxes.Add(Row(reader, withStatus));
        }
        await using (NpgsqlCommand command = Command(connection, "select path from mail.subscription where account_id = $1", account))
        await using (NpgsqlDataReader reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                subscriptions.Add(MailboxPath.Of(reader.GetFieldValue<string[]>(0)));
        }
        mailboxes.Sort(static (a, b) => a.Info.Path.CompareTo(b.Info.Path));
        subscriptions.Sort();
        return (mailboxes, subscriptions);
    });

    /// <summary>The mailbox of a name with its counters; null when there is none.</summary>
    public async Task<MailboxInfo?> FindAsync(AccountId account, MailboxPath path) => (await FindRowAsync(account, path))?.Info;

    /// <summary>As <see cref="FindAsync"/>, with the owner.</summary>
    /// <param name="viewer">Not null: its rights, and its UNSEEN.</param>
    public Task<StoredMailbox?> FindRowAsync(AccountId account, MailboxPath path, bool withDeletedBytes = false, AccountId? viewer = null) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        path = await NfcAsync(connection, path);
        await using NpgsqlCommand command = Command(connection,
            $"select {Columns(withDeletedBytes, viewer is null ? null : "$3")} from mail.mailbox m where m.account_id = $1 and m.path = $2 and m.deleted_at is null", account, path);
        if (viewer is { } asking)
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = asking.Value });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? Row(reader, withStatus: true) : null;
    });

    /// <summary>The counters of a mailbox; null when it is gone.</summary>
    public Task<MailboxStatus?> CountersAsync(AccountId account, MailboxId mailbox) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        await using NpgsqlCommand command = Command(connection,
            $"select {Columns(deletedBytes: false)} from mail.mailbox m where m.account_id = $1 and m.id = $2 and m.deleted_at is null", account);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = mailbox.Value });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? Row(reader, withStatus: true).Info.Status : null;
    });

    /// <param name="ids">A new id for each segment of the path.</param>
    /// <param name="viewer">Another account that asks, and needs rights; null: none.</param>
    public Task<(CreateOutcome Outcome, MailboxId Id)> CreateAsync(
        AccountId account, OperationId operation, MailboxPath path, IReadOnlyList<string> specialUse, long[] ids, int maxMailboxes, AccountId? viewer = null) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        path = await NfcAsync(connection, path);
        await using NpgsqlCommand command = Command(connection, viewer is null
            ? "select code, id from mail.create_mailbox_v2($1, $3, $4, $2, $5, $6, $7)" : "select code, id from mail.create_mailbox_as_v2($1, $3, $4, $2, $5, $6, $7, $8)", account, path, operation);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. specialUse] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = ids });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = maxMailboxes });
        if (viewer is { } asking)
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = asking.Value });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return ((CreateOutcome)reader.GetInt16(0), new MailboxId(reader.IsDBNull(1) ? 0 : reader.GetInt64(1)));
    });

    /// <param name="tell">Tells owners that the name of their mailbox is about to change; null: nobody relies on what they say of it.</param>
    /// <param name="viewer">As in <see cref="CreateAsync"/>.</param>
    /// <returns>The id is the deleted mailbox's, also where an earlier try did it; null where nothing was deleted.</returns>
    public Task<(DeleteOutcome Outcome, MailboxId? Id)> DeleteAsync(
        AccountId account, OperationId operation, MailboxPath path, Func<IReadOnlyList<NamedClaim>, Task>? tell = null, AccountId? viewer = null) => ToldAsync(tell, async (connection, told) =>
    {
        path = await NfcAsync(connection, path);
        await using NpgsqlCommand command = Command(
            connection, $"select code, ids, epochs, owners, id from mail.delete_mailbox_{(viewer is null ? "v3($1, $3, $4, $2, $5, $6)" : "as_v2($1, $3, $4, $2, $5, $6, $7)")}", account, path, operation);
        return await ChangeAsync(command, told, static reader => ((DeleteOutcome)reader.GetInt16(0), reader.IsDBNull(4) ? null : (MailboxId?)new MailboxId(reader.GetInt64(4))), [.. Asking(viewer)]);
    });

    /// <param name="ids">A new id for INBOX and for each parent of the new name.</param>
    /// <param name="tell">As in <see cref="DeleteAsync"/>.</param>
    /// <param name="viewer">As in <see cref="CreateAsync"/>.</param>
    /// <returns>Also the mailboxes that got a new UIDVALIDITY: their sessions must end.</returns>
    public Task<(RenameOutcome Outcome, IReadOnlyList<MailboxId> Ended)> RenameAsync(
        AccountId account, OperationId operation, MailboxPath from, MailboxPath to, long[] ids, Func<IReadOnlyList<NamedClaim>, Task>? tell = null, AccountId? viewer = null) => ToldAsync(tell, async (connection, told) =>
    {
        from = await NfcAsync(connection, from);
        to = await NfcAsync(connection, to);
        await using NpgsqlCommand command = Command(
            connection, $"select code, ids, epochs, owners, ended from mail.rename_mailbox_{(viewer is null ? "v3($1, $3, $4, $2, $7, $8, $5, $6)" : "as_v2($1, $3, $4, $2, $7, $8, $5, $6, $9)")}", account, from, operation);
        return await ChangeAsync(command, told, static reader =>
            ((RenameOutcome)reader.GetInt16(0), (IReadOnlyList<MailboxId>)[.. reader.GetFieldValue<long[]>(4).Select(static id => new MailboxId(id))]),
            [new NpgsqlParameter<string[]> { TypedValue = [.. to.Segments] }, new NpgsqlParameter<long[]> { TypedValue = ids }, .. Asking(viewer)]);
    });

    private static IEnumerable<NpgsqlParameter> Asking(AccountId? viewer) => viewer is { } asking ? [new NpgsqlParameter<long> { TypedValue = asking.Value }] : [];

    /// <summary>What the functions that change names answer where owners are still to be told.</summary>
    private const short Untold = 4;

    /// <summary>Makes a change of names, and whenever it is not done because of owners that were not told, tells them and makes it again.</summary>
    private async Task<T> ToldAsync<T>(
        Func<IReadOnlyList<NamedClaim>, Task>? tell, Func<NpgsqlConnection, Dictionary<MailboxId, long>, Task<(T Outcome, IReadOnlyList<NamedClaim> Untold)>> change)
    {
        var told = new Dictionary<MailboxId, long>();
        for (int attempt = 0; attempt < 50; attempt++)
        {
            (T outcome, IReadOnlyList<NamedClaim> untold) = await Store.Guard(async () =>
            {
                await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
                return await change(connection, told);
            });
            if (untold.Count == 0)
                return outcome;
            if (tell is not null)
                await tell(untold);
            foreach (NamedClaim claim in untold)
                told[claim.Mailbox] = claim.Epoch;
        }
        throw new StoreUnavailableException("A mailbox is claimed again and again.", null);
    }

    private static async Task<(T, IReadOnlyList<NamedClaim>)> ChangeAsync<T>(
        NpgsqlCommand command, Dictionary<MailboxId, long> told, Func<NpgsqlDataReader, T> outcome, params IReadOnlyList<NpgsqlParameter> more)
    {
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. told.Keys.Select(static m => m.Value)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. told.Values] });
        foreach (NpgsqlParameter parameter in more)
            command.Parameters.Add(parameter);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        if (reader.GetInt16(0) != Untold)
            return (outcome(reader), []);
        (long[] ids, long[] epochs, string[] owners) = (reader.GetFieldValue<long[]>(1), reader.GetFieldValue<long[]>(2), reader.GetFieldValue<string[]>(3));
        return (default!, [.. ids.Select((id, i) => new NamedClaim(new MailboxId(id), epochs[i], owners[i]))]);
    }

    /// <param name="most">Names that the account may be subscribed to.</param>
    /// <returns>False where it is subscribed to so many already.</returns>
    public Task<bool> SubscribeAsync(AccountId account, MailboxPath path, bool subscribed, int most) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        path = await NfcAsync(connection, path);
        await using NpgsqlCommand command = Command(connection, subscribed
            ? """
              with put as (insert into mail.subscription (account_id, path) select $1, $2
                  where (select count(*) from mail.subscription s where s.account_id = $1) < $3 on conflict do nothing returning 1)
              select exists (select from put) or exists (select from mail.subscription s where s.account_id = $1 and s.path = $2)
              """
            : "with gone as (delete from mail.subscription where account_id = $1 and path = $2) select true", account, path);
        if (subscribed)
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = most });
        return (bool)(await command.ExecuteScalarAsync())!;
    });

    /// <summary>The mailboxes of other accounts that an account may see, with the silo that may have each in memory, and its subscriptions to such; in order.</summary>
    public Task<(List<(SharedMailbox Mailbox, string? Silo)> Mailboxes, List<SharedSubscription> Subscriptions)> ListSharedAsync(AccountId viewer, ListRequest request) => Store.Guard(async () =>
    {
        var mailboxes = new List<(SharedMailbox Mailbox, string? Silo)>();
        var subscriptions = new List<SharedSubscription>();
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        await using (NpgsqlCommand command = Command(connection,
            $"""
            select {Columns(request.DeletedBytes, "$1", request.Status)}, o.account_id, o.user_name, o.shared_store
            from mail.shared_with_v1($1) s
            join mail.mailbox m on m.account_id = s.account_id and m.id = s.mailbox_id and m.deleted_at is null
            join mail.account o on o.account_id = s.account_id
            """, viewer))
        await using (NpgsqlDataReader reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                StoredMailbox row = Row(reader, request.Status);
                if (row.Info.Rights.Has(MailRights.Lookup))
                    mailboxes.Add((new SharedMailbox(new AccountId(reader.GetInt64(14)), reader.GetString(15), reader.GetBoolean(16), row.Info), row.Owner));
            }
        }
        await using (NpgsqlCommand command = Command(connection,
            """
            select s.path, o.account_id, o.user_name, o.shared_store from mail.shared_subscription s
            join mail.account v on v.account_id = s.account_id join mail.account o on o.account_id = s.owner_id and mail.tenants_share_v1(o.tenant_id, v.tenant_id) where s.account_id = $1
            """, viewer))
        await using (NpgsqlDataReader reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                subscriptions.Add(new SharedSubscription(new AccountId(reader.GetInt64(1)), reader.GetString(2), reader.GetBoolean(3), MailboxPath.Of(reader.GetFieldValue<string[]>(0))));
        }
        return (mailboxes, subscriptions);
    });

    /// <summary>As <see cref="SubscribeAsync"/>, to a mailbox of another account.</summary>
    public Task<bool> SubscribeToAsync(AccountId account, AccountId owner, MailboxPath path, bool subscribed, int most) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        path = await NfcAsync(connection, path);
        await using NpgsqlCommand command = Command(connection, subscribed
            ? """
              with put as (insert into mail.shared_subscription (account_id, owner_id, path) select $1, $3, $2
                  where (select count(*) from mail.shared_subscription s where s.account_id = $1) < $4 on conflict do nothing returning 1)
              select exists (select from put) or exists (select from mail.shared_subscription s where s.account_id = $1 and s.owner_id = $3 and s.path = $2)
              """
            : "with gone as (delete from mail.shared_subscription where account_id = $1 and owner_id = $3 and path = $2) select true", account, path);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = owner.Value });
        if (subscribed)
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = most });
        return (bool)(await command.ExecuteScalarAsync())!;
    });

    /// <summary>The list of rights of a mailbox, by names, the owner's first; lines of accounts whose tenant does not share with both the mailbox's and that of who asks are left out.</summary>
    public Task<MailboxRights> RightsAsync(MailboxKey mailbox, AccountId asking) => Store.Guard(async () =>
    {
        await using NpgsqlConnection connection = await database.Main.OpenConnectionAsync();
        await using NpgsqlCommand command = Command(connection,
            """
            select o.user_name, null, null, null from mail.account o where o.account_id = $1
            union all (select case when a.grantee_id = 0 then 'anyone' else g.user_name end, a.negative, a.rights, a.grantee_id from mail.acl a
                left join mail.account g on g.account_id = a.grantee_id
                where a.account_id = $1 and a.mailbox_id = $2 and (a.grantee_id = 0 or (mail.tenants_share_v1(a.tenant_id, g.tenant_id)
                    and mail.tenants_share_v1((select v.tenant_id from mail.account v where v.account_id = $3), g.tenant_id))) order by 1, 2)
            """, mailbox.Account);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = mailbox.Mailbox.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = asking.Value });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        string owner = "";
        var entries = new List<NamedRights>();
        while (await reader.ReadAsync())
        {
            if (reader.IsDBNull(1))
                owner = reader.GetString(0);
            else
                entries.Add(new NamedRights(reader.GetString(0), reader.GetBoolean(1), (MailRights)reader.GetInt32(2)));
        }
        return new MailboxRights(owner, entries);
    });

    /// <summary>
    /// The account that logs in with a name and can be given rights by one that asks, on mailboxes of a tenant: its own tenant shares with that one's and with the mailboxes'. Null when there is
    /// none.
    /// </summary>
    public Task<AccountId?> FindAccountAsync(TenantId tenant, AccountId asking, string user) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.Main.CreateCommand(
            """
            select g.account_id from mail.account v, (select $1::bigint as tenant_id union select s.with_id from mail.tenant_sharing s where s.tenant_id = $1) t
            join mail.account g on g.tenant_id = t.tenant_id and g.user_name = $2
            where v.account_id = $3 and mail.tenants_share_v1($1, g.tenant_id) and mail.tenants_share_v1(v.tenant_id, g.tenant_id)
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = tenant.Value });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = MailAddress.Parse(user)?.ToString() ?? user });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = asking.Value });
        return await command.ExecuteScalarAsync() is long id ? new AccountId(id) : (AccountId?)null;
    });

    /// <summary>Whether a change of the tree was made before, by an earlier try.</summary>
    public Task<bool> DoneBeforeAsync(AccountId account, OperationId operation) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.Main.CreateCommand("select mail.tree_done($1, $2, $3) is not null");
        foreach (long value in (long[])[account.Value, operation.Incarnation, operation.Counter])
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = value });
        return (bool)(await command.ExecuteScalarAsync())!;
    });

    /// <summary>Whether nodes of a release before a version are in the cluster.</summary>
    public Task<bool> HasNodesBeforeAsync(int codeVersion) => HasNodesBeforeAsync(database.Main, codeVersion);

    internal static Task<bool> HasNodesBeforeAsync(NpgsqlDataSource database, int codeVersion) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = database.CreateCommand(
            """
            select exists (select 1 from orleans.membership s left join directory.silo d on d.address = s.address || ':' || s.port || '@' || s.generation
                where s.status <> 6 and coalesce(d.code_version, 0) < $1)
                or exists (select 1 from directory.front_end f where f.seen > now() - interval '1 minute' and coalesce(case when f.version_seen = f.seen then f.code_version end, 0) < $1)
            """);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = codeVersion });
        return (bool)(await command.ExecuteScalarAsync())!;
    });

    /// <summary>
    /// The name in NFC, which is what is stored. PostgreSQL does it: without ICU, which need not be on the machine, .NET composes nothing.
    /// Names in ASCII cost no round trip.
    /// </summary>
    internal static async Task<MailboxPath> NfcAsync(NpgsqlConnection connection, MailboxPath path)
    {
        if (path.Segments.All(static s => System.Text.Ascii.IsValid(s)))
            return path;
        await using var command = new NpgsqlCommand("select array(select normalize(s, nfc) from unnest($1) with ordinality as u(s, i) order by i)", connection);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. path.Segments] });
        return MailboxPath.Of((string[])(await command.ExecuteScalarAsync())!);
    }

    private static StoredMailbox Row(NpgsqlDataReader reader, bool withStatus)
    {
        var id = new MailboxId(reader.GetInt64(0));
        var info = new MailboxInfo(
            id, MailboxPath.Of(reader.GetFieldValue<string[]>(9)), true, reader.GetFieldValue<string[]>(10), withStatus ? Status(reader) : null, (MailRights)reader.GetInt32(13));
        return new StoredMailbox(info, reader.IsDBNull(11) ? null : reader.GetString(11));
    }

    private static MailboxStatus Status(NpgsqlDataReader reader)
    {
        long uidNext = reader.GetInt64(2), messages = reader.GetInt64(4);
        // Every UID from first_recent on is \Recent; those that were expunged since are not known here, so the count is bounded by what is there.
        long recent = Math.Clamp(uidNext - reader.GetInt64(8), 0, messages);
        return new MailboxStatus(new MailboxId(reader.GetInt64(0)), (uint)reader.GetInt64(1), (uint)uidNext, reader.GetInt64(3), messages,
            reader.GetInt64(5), reader.GetInt64(6), reader.GetInt64(7), recent, reader.IsDBNull(12) ? null : reader.GetInt64(12));
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, AccountId account, MailboxPath? path = null, OperationId? operation = null)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
        if (path is not null)
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. path.Segments], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        if (operation is { } id)
        {
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = id.Incarnation });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = id.Counter });
        }
        return command;
    }
}
