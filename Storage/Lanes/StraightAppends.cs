using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>Appends of one message each as one call of <c>mail.commit_append_v1</c>, or of <c>mail.commit_appends_v1</c> where there are several.</summary>
internal sealed class StraightAppends(IReadOnlyList<CommitOperation> operations, HeldBodies? held) : StraightBatch
{
    private static readonly string _one = Call("commit_append_v1", 25), _many = Call("commit_appends_v1", 39);

    protected override int Count => operations.Count;

    /// <summary>Whether these are nothing but such appends, none of which has to do with another.</summary>
    public static bool IsFor(IReadOnlyList<CommitOperation> operations) =>
        operations.All(static o => o is { Kind: CommitKind.Append, Viewer: null, Messages: [{ Flags.Keywords.Count: 0, Annotations: null }] })
        && (operations.Count == 1 ? AreDistinct(operations[0].Messages[0].ThreadKeys)
            : AreDistinct(operations.Select(static o => (o.Mailbox.Account, o.Id)))
            && AreDistinct(operations.Select(static o => (o.Messages[0].Body, o.Messages[0].Claim)))
            && AreDistinct(operations.Where(static o => o.Delivery is not null).Select(static o => (o.Mailbox.Account, o.Delivery)))
            && AreDistinct(operations.SelectMany(static o => o.Messages[0].ThreadKeys.Select(k => (o.Mailbox.Account, k)))));

    protected override string Bind(NpgsqlParameterCollection parameters)
    {
        if (operations.Count > 1)
        {
            BindMany(parameters);
            return _many;
        }
        BindOne(parameters, operations[0], operations[0].Messages[0]);
        return _one;
    }

    protected override CommitOutcome Read(int op, NpgsqlDataReader reader) => Done(reader.GetInt64(1), UidSet.Single((uint)reader.GetInt64(2)), UidSet.Empty, [reader.GetInt64(3)]);

    private static string Call(string function, int parameters) =>
        $"select op, modseq, uid, thread from mail.{function}({string.Join(',', Enumerable.Range(1, parameters).Select(static i => "$" + i))})";

    private HeldBody? Held(NewMessage message) => held?.TryGet(message.Body, out HeldBody? body) == true ? body : null;

    private void BindOne(NpgsqlParameterCollection parameters, CommitOperation o, NewMessage message)
    {
        HeldBody? body = Held(message);
        BindHead(parameters, o);
        parameters.Add(NpgsqlDbType.Uuid, o.Delivery);
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Text, o.Path?.Segments.Select(static s => CommitParameters.Clean(s)!).ToArray());
        parameters.Add(NpgsqlDbType.Boolean, body is not null);
        parameters.Add(NpgsqlDbType.Integer, body?.Crc32C ?? 0);
        parameters.Add(NpgsqlDbType.Bytea, body?.Data ?? default);
        parameters.Add(NpgsqlDbType.Bytea, body?.Content ?? []);
        parameters.Add(NpgsqlDbType.Bigint, message.Body.Value);
        parameters.Add(NpgsqlDbType.Integer, message.Claim);
        parameters.Add(NpgsqlDbType.Bigint, o.Emails[0]);
        parameters.Add(NpgsqlDbType.Bytea, message.Prefix);
        parameters.Add(NpgsqlDbType.Bigint, (long)message.Size);
        parameters.Add(NpgsqlDbType.Bigint, message.InternalDate);
        parameters.Add(NpgsqlDbType.Smallint, message.ZoneMinutes);
        parameters.Add(NpgsqlDbType.Smallint, (short)message.Flags.System);
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Bigint, message.ThreadKeys.Count == 0 ? null : message.ThreadKeys.ToArray());
        parameters.Add(NpgsqlDbType.Bigint, Now);
    }

    private void BindMany(NpgsqlParameterCollection parameters)
    {
        // Mailboxes and accounts sorted: the order of the locks.
        Share[] mailboxes = [.. operations.GroupBy(static o => o.Mailbox).OrderBy(static g => g.Key).Select(static g => Share.Of(g))];
        Share[] accounts = [.. operations.GroupBy(static o => o.Mailbox.Account.Value).OrderBy(static g => g.Key).Select(static g => Share.Of(g))];
        NewMessage[] messages = [.. operations.Select(static o => o.Messages[0])];
        HeldBody?[] inline = [.. messages.Select(Held)];
        var next = new Dictionary<MailboxKey, long>();

        parameters.Add(NpgsqlDbType.Bigint, mailboxes, static m => m.Mailbox.Account.Value);
        parameters.Add(NpgsqlDbType.Bigint, mailboxes, static m => m.Mailbox.Mailbox.Value);
        parameters.Add(NpgsqlDbType.Bigint, mailboxes, static m => m.FirstRecent);
        parameters.Add(NpgsqlDbType.Bigint, mailboxes, static m => m.Messages);
        parameters.Add(NpgsqlDbType.Bigint, mailboxes, static m => m.Octets);
        parameters.Add(NpgsqlDbType.Bigint, mailboxes, static m => m.Unseen);
        parameters.Add(NpgsqlDbType.Bigint, mailboxes, static m => m.Deleted);
        parameters.Add(NpgsqlDbType.Bigint, accounts, static a => a.Mailbox.Account.Value);
        parameters.Add(NpgsqlDbType.Bigint, accounts, static a => a.Messages);
        parameters.Add(NpgsqlDbType.Bigint, accounts, static a => a.Octets);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Mailbox.Account.Value);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Mailbox.Mailbox.Value);
        parameters.Add(NpgsqlDbType.Bigint, operations, o => next[o.Mailbox] = next.TryGetValue(o.Mailbox, out long last) ? last + 1 : 0);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Epoch);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Id.Incarnation);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Id.Counter);
        parameters.Add(NpgsqlDbType.Text, operations, static o => CommitParameters.Clean(o.Actor.User));
        parameters.Add(NpgsqlDbType.Text, operations, static o => CommitParameters.Clean(o.Actor.Session));
        parameters.Add(NpgsqlDbType.Text, operations, static o => CommitParameters.Clean(o.Actor.Address));
        parameters.Add(NpgsqlDbType.Uuid, operations, static o => o.Delivery);
        parameters.AddSlices(operations, static o => o.Path?.Segments.Count ?? 0);
        parameters.Add(NpgsqlDbType.Text, [.. operations.SelectMany(static o => o.Path?.Segments ?? [])], static s => CommitParameters.Clean(s));
        parameters.Add(NpgsqlDbType.Boolean, inline, static b => b is not null);
        parameters.Add(NpgsqlDbType.Integer, inline, static b => b?.Crc32C ?? 0);
        parameters.Add(NpgsqlDbType.Bytea, inline, static b => b?.Data ?? default);
        parameters.Add(NpgsqlDbType.Bytea, inline, static b => b?.Content ?? []);
        parameters.Add(NpgsqlDbType.Bigint, messages, static m => m.Body.Value);
        parameters.Add(NpgsqlDbType.Integer, messages, static m => m.Claim);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Emails[0]);
        parameters.Add(NpgsqlDbType.Bytea, messages, static m => m.Prefix);
        parameters.Add(NpgsqlDbType.Bigint, messages, static m => (long)m.Size);
        parameters.Add(NpgsqlDbType.Bigint, messages, static m => m.InternalDate);
        parameters.Add(NpgsqlDbType.Smallint, messages, static m => m.ZoneMinutes);
        parameters.Add(NpgsqlDbType.Smallint, messages, static m => (short)m.Flags.System);
        parameters.AddSlices(messages, static m => m.ThreadKeys.Count);
        parameters.Add(NpgsqlDbType.Bigint, [.. messages.SelectMany(static m => m.ThreadKeys)], static k => k);
        parameters.Add(NpgsqlDbType.Bigint, Now);
    }

    /// <summary>What a mailbox, or an account, will get.</summary>
    private readonly record struct Share(MailboxKey Mailbox, long? FirstRecent, long Messages, long Octets, long Unseen, long Deleted)
    {
        public static Share Of(IEnumerable<CommitOperation> operations)
        {
            Share sum = default;
            foreach (CommitOperation o in operations)
            {
                SystemFlags flags = o.Messages[0].Flags.System;
                sum = new Share(o.Mailbox, o.FirstRecent ?? sum.FirstRecent, sum.Messages + 1, sum.Octets + o.Messages[0].Size,
                    sum.Unseen + ((flags & SystemFlags.Seen) == 0 ? 1 : 0), sum.Deleted + ((flags & SystemFlags.Deleted) != 0 ? 1 : 0));
            }
            return sum;
        }
    }
}
