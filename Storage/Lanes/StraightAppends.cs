using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>
/// Appends of one message each as one call of <c>mail.commit_append_v2</c>, or of <c>mail.commit_appends_v2</c> where there are several, or of <c>mail.commit_appends_v3</c> where bodies come along
/// that are of several messages.
/// </summary>
internal sealed class StraightAppends(IReadOnlyList<CommitOperation> operations, HeldBodies? held) : StraightBatch
{
    private const string
        _one = "select op, modseq, uid, thread, mailbox_at, account_at from mail.commit_append_v2($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27)",
        _many = "select op, modseq, uid, thread, place from mail.commit_appends_v2($1,$2,$3,$4,$5,$6,$7,$8,$9,$10::tid[],$11::tid[])",
        _shared = "select op, modseq, uid, thread, place from mail.commit_appends_v3($1,$2,$3,$4,$5,$6,$7,$8,$9,$10::tid[],$11::tid[],$12)";

    // What p_appends has for the claim where the body comes along: with this append, or with another.
    private const long _along = -1, _alongWithAnother = -2;

    // Of several: the rows that their function tells the places of.
    private Share[] _mailboxes = [], _accounts = [];

    protected override int Count => operations.Count;

    /// <summary>Whether these are nothing but such appends, none of which has to do with another.</summary>
    public static bool IsFor(IReadOnlyList<CommitOperation> operations) =>
        operations.All(static o => o is { Kind: CommitKind.Append, Viewer: null, Messages: [{ Flags.Keywords.Count: 0, Annotations: null }] })
        && (operations.Count == 1 ? AreDistinct(operations[0].Messages[0].ThreadKeys)
            : AreDistinct(operations.Select(static o => (o.Mailbox.Account, o.Id))) && ClaimsAgree(operations)
            && operations.Where(static o => o.Path is not null).GroupBy(static o => o.Mailbox).All(static g => g.All(o => o.Path!.Equals(g.First().Path)))
            && AreDistinct(operations.Select(static o => (o.Messages[0].Body, o.Messages[0].Claim)))
            && AreDistinct(operations.Where(static o => o.Delivery is not null).Select(static o => (o.Mailbox.Account, o.Delivery)))
            && AreDistinct(operations.SelectMany(static o => o.Messages[0].ThreadKeys.Select(k => (o.Mailbox.Account, k)))));

    protected override string Bind(NpgsqlParameterCollection parameters, RowPlaces? places)
    {
        HeldBody? body = Held(operations[0].Messages[0]);
        if (operations.Count == 1 && body?.IsOfOne != false)
        {
            BindOne(parameters, operations[0], operations[0].Messages[0], body, places);
            return _one;
        }
        return BindMany(parameters, places) ? _shared : _many;
    }

    protected override CommitOutcome Read(int op, NpgsqlDataReader reader) => Done(reader.GetInt64(1), UidSet.Single((uint)reader.GetInt64(2)), UidSet.Empty, [reader.GetInt64(3)]);

    protected override void Learn(int op, NpgsqlDataReader reader, RowPlaces places)
    {
        if (_mailboxes.Length == 0)
        {
            places.Set(operations[0].Mailbox, reader.GetFieldValue<NpgsqlTid>(4));
            places.Set(operations[0].Mailbox.Account, reader.GetFieldValue<NpgsqlTid>(5));
        }
        else if (-op > _mailboxes.Length)
        {
            places.Set(_accounts[-op - _mailboxes.Length - 1].Mailbox.Account, reader.GetFieldValue<NpgsqlTid>(4));
        }
        else if (op < 0)
        {
            places.Set(_mailboxes[-op - 1].Mailbox, reader.GetFieldValue<NpgsqlTid>(4));
        }
    }

    private HeldBody? Held(NewMessage message) => held?.TryGet(message.Body, out HeldBody? body) == true ? body : null;

    private void BindOne(NpgsqlParameterCollection parameters, CommitOperation o, NewMessage message, HeldBody? body, RowPlaces? places)
    {
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
        parameters.Add(NpgsqlDbType.Tid, places?.Of(o.Mailbox));
        parameters.Add(NpgsqlDbType.Tid, places?.Of(o.Mailbox.Account));
    }

    /// <returns>Whether bodies of several messages come along.</returns>
    private bool BindMany(NpgsqlParameterCollection parameters, RowPlaces? places)
    {
        // Mailboxes and accounts sorted: the order of the locks.
        Share[] mailboxes = _mailboxes = [.. operations.GroupBy(static o => o.Mailbox).OrderBy(static g => g.Key).Select(static g => Share.Of(g))];
        Share[] accounts = _accounts = [.. operations.GroupBy(static o => o.Mailbox.Account).OrderBy(static g => g.Key.Value).Select(static g => Share.Of(g))];
        Dictionary<MailboxKey, int> mailboxPlaces = CommitParameters.Places([.. mailboxes.Select(static m => m.Mailbox)]);
        Dictionary<AccountId, int> accountPlaces = CommitParameters.Places([.. accounts.Select(static a => a.Mailbox.Account)]);
        List<string?> names = [];
        List<long> mailboxValues = [], accountValues = [], values = [], threads = [];
        List<string?> texts = [];
        List<ReadOnlyMemory<byte>> bytes = [];
        var numbers = new int[mailboxes.Length];
        // Of bodies for several messages: the claims that are still to come for.
        Dictionary<BodyId, HashSet<int>>? shared = null;

        foreach (Share m in mailboxes)
        {
            mailboxValues.AddRange([m.Mailbox.Account.Value, m.Mailbox.Mailbox.Value, m.Epoch, m.FirstRecent ?? 0, m.Messages, m.Octets, m.Unseen, m.Deleted]);
            // Where the name that it must have begins and ends, from 1.
            mailboxValues.AddRange(m.Path is { } path ? [names.Count + 1, names.Count + path.Segments.Count] : [0, 0]);
            names.AddRange(m.Path?.Segments.Select(CommitParameters.Clean) ?? []);
        }
        foreach (Share a in accounts)
            accountValues.AddRange([a.Mailbox.Account.Value, a.Messages, a.Octets]);
        foreach (CommitOperation o in operations)
        {
            NewMessage message = o.Messages[0];
            HeldBody? body = Held(message);
            long claim = body is null ? message.Claim : _along;
            if (body?.IsOfOne == false)
            {
                shared ??= [];
                if (shared.TryGetValue(body.Id, out HashSet<int>? left))
                    claim = _alongWithAnother;
                else
                    shared.Add(body.Id, left = [.. Enumerable.Range(0, body.Claims)]);
                left.Remove(message.Claim);
            }
            int mailbox = mailboxPlaces[o.Mailbox];
            values.AddRange(
            [
                mailbox, numbers[mailbox - 1]++, o.Id.Incarnation, o.Id.Counter, message.Body.Value, claim, body?.Crc32C ?? 0, o.Emails[0], message.Size, message.InternalDate,
                message.ZoneMinutes, (long)message.Flags.System,
            ]);
            // No keys end before they begin.
            values.AddRange([(threads.Count / 2) + 1, (threads.Count / 2) + message.ThreadKeys.Count, accountPlaces[o.Mailbox.Account]]);
            foreach (long key in message.ThreadKeys)
                threads.AddRange([o.Mailbox.Account.Value, key]);
            AddActor(texts, o);
            HeldBody? along = claim == _along ? body : null;
            bytes.AddRange([along?.Data ?? default, along?.Content ?? default(ReadOnlyMemory<byte>), message.Prefix]);
        }

        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Bigint, mailboxValues);
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Text, names);
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Bigint, accountValues);
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Bigint, values);
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Text, texts);
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Bytea, bytes);
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Uuid, operations.Any(static o => o.Delivery is not null) ? operations.Select(static o => o.Delivery).ToArray() : []);
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Bigint, threads);
        parameters.Add(NpgsqlDbType.Bigint, Now);
        AddPlaces(parameters, mailboxes.Select(m => places?.Of(m.Mailbox)));
        AddPlaces(parameters, accounts.Select(a => places?.Of(a.Mailbox.Account)));
        if (shared is null)
            return false;
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Bigint, shared.SelectMany(static s => s.Value.SelectMany(c => new[] { s.Key.Value, c })).ToList());
        return true;
    }

    /// <summary>What a mailbox, or an account, will get.</summary>
    private readonly record struct Share(MailboxKey Mailbox, long Epoch, MailboxPath? Path, long? FirstRecent, long Messages, long Octets, long Unseen, long Deleted)
    {
        public static Share Of(IEnumerable<CommitOperation> operations)
        {
            Share sum = default;
            foreach (CommitOperation o in operations)
            {
                SystemFlags flags = o.Messages[0].Flags.System;
                sum = new Share(o.Mailbox, o.Epoch, o.Path ?? sum.Path, o.FirstRecent ?? sum.FirstRecent, sum.Messages + 1, sum.Octets + o.Messages[0].Size,
                    sum.Unseen + ((flags & SystemFlags.Seen) == 0 ? 1 : 0), sum.Deleted + ((flags & SystemFlags.Deleted) != 0 ? 1 : 0));
            }
            return sum;
        }
    }
}
